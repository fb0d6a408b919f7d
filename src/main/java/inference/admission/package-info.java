/**
 * Decides whether a call may run and how long it may wait. The numbers of running and of
 * waiting calls are limited. Requests beyond these limits are rejected, if possible
 * before their bodies are read. Spring's own {@code @ConcurrencyLimit} is not used,
 * because with it a call either waits without a limit or is rejected at once. HTTP and
 * gRPC also share the metrics, the log's context and the limit of connections from here.
 */
@NullMarked
package inference.admission;

import org.jspecify.annotations.NullMarked;
