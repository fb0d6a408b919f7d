/**
 * HTTP: a servlet for predictions, Spring controllers for everything that is only read,
 * and one place for errors. The tensors are read and written by {@code codec}.
 */
@NullMarked
package inference.web;

import org.jspecify.annotations.NullMarked;
