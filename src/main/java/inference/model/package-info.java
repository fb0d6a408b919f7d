/**
 * The fork's room: what a model is, and {@link inference.model.OnnxModel}, the one served
 * when a fork brings no class of its own. ONNX Runtime is known here and nowhere else, so
 * that another runtime replaces one class.
 */
@NullMarked
package inference.model;

import org.jspecify.annotations.NullMarked;
