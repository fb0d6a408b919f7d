/**
 * An inference server: one model, one lifecycle, and the protocols that serve it.
 * <ul>
 * <li>{@code model}: the interface of a model, and the model for ONNX files</li>
 * <li>{@code lifecycle}: the model's life, and the state that every probe reads</li>
 * <li>{@code admission}: the queue, deadlines, memory budget and model threads</li>
 * <li>{@code codec}: the conversion between bytes and tensors, for every protocol</li>
 * <li>{@code web}: predictions, metadata, errors, probes and the console over HTTP</li>
 * <li>{@code grpc}: predictions, metadata and health over gRPC</li>
 * <li>{@code health}: the result of each probe in each state</li>
 * <li>{@code ops}: the exec probe, which uses the JDK alone</li>
 * </ul>
 * A prediction is admitted, decoded, queued, and then run by lifecycle and model. The
 * architecture test lists which package may use which.
 */
@NullMarked
package inference;

import org.jspecify.annotations.NullMarked;
