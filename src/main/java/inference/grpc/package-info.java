/**
 * The Open Inference Protocol over gRPC, and the health service of gRPC, on a port of
 * their own. Predictions pass the same checks and the same admission as over HTTP. No
 * package depends on {@code grpc}, and {@code src/forking.md} says how to remove it.
 */
@NullMarked
package inference.grpc;

import org.jspecify.annotations.NullMarked;
