/**
 * Serves HTTP: a servlet answers prediction requests, a second servlet answers probes,
 * and Spring controllers answer the rest. The package {@code codec} reads and writes the
 * tensors.
 */
@NullMarked
package inference.web;

import org.jspecify.annotations.NullMarked;
