/**
 * Decides whether a call may run and how long it may wait. The numbers of running and of
 * waiting calls are limited. Requests beyond these limits are rejected, if possible
 * before their bodies are read. Spring's own concurrency limit neither limits the wait
 * nor gives a reason.
 */
@NullMarked
package inference.admission;

import org.jspecify.annotations.NullMarked;
