/**
 * An inference server: one model, one lifecycle, and the surfaces that read it. The
 * packages:
 * <ul>
 * <li>{@code model} - what a model is, and the model for ONNX files; a fork's class goes
 * here;</li>
 * <li>{@code lifecycle} - the model's life, and the one state that everything reads;</li>
 * <li>{@code admission} - the queue, the deadlines, the memory and the model
 * threads;</li>
 * <li>{@code codec} - bytes to tensors and back, for every protocol;</li>
 * <li>{@code web} - HTTP: predictions, metadata, errors, probes and the console;</li>
 * <li>{@code health} - what each probe says of the state;</li>
 * <li>{@code ops} - the probe that runs in a container, with the JDK alone.</li>
 * </ul>
 * A request passes through them once: web, codec, admission, lifecycle, model. The
 * architecture test lists which package may use which.
 */
@NullMarked
package inference;

import org.jspecify.annotations.NullMarked;
