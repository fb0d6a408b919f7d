/**
 * What a model is, and {@link inference.model.OnnxModel}, which is served if a fork
 * brings no class of its own. ONNX Runtime is known here only, so another runtime
 * replaces one class.
 */
@NullMarked
package inference.model;

import org.jspecify.annotations.NullMarked;
