/**
 * The Open Inference Protocol over gRPC, and the health service of gRPC, on a port of
 * their own. Predictions pass the same checks and the same admission as over HTTP.
 * Nothing depends on this package: to remove gRPC, delete it, its tests,
 * {@code src/main/proto}, and the starter and the plugin in {@code pom.xml}.
 */
@NullMarked
package inference.grpc;

import org.jspecify.annotations.NullMarked;
