/**
 * The Open Inference Protocol over gRPC, and the health service of gRPC, on a port of
 * their own. Predictions pass the same checks and the same admission as over HTTP.
 * Nothing depends on this package. {@code src/forking.md} says how to remove it.
 */
@NullMarked
package inference.grpc;

import org.jspecify.annotations.NullMarked;
