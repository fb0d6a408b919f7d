/**
 * HTTP: a servlet for predictions, one for the probes, Spring controllers for everything
 * else, and one place for errors. The package {@code codec} reads and writes the tensors.
 */
@NullMarked
package inference.web;

import org.jspecify.annotations.NullMarked;
