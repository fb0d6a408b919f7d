/**
 * Decides whether a call may run and how long it may wait: a bounded number run, a
 * bounded number wait, and the others are rejected while that is still cheap. Spring's
 * own concurrency limit has no bounded wait and does not say why it rejects.
 */
@NullMarked
package inference.admission;

import org.jspecify.annotations.NullMarked;
