/**
 * The model that is served, its tensors and its signature.
 * {@link inference.model.OnnxModel} is the default. Only this package uses ONNX Runtime.
 */
@NullMarked
package inference.model;

import org.jspecify.annotations.NullMarked;
