/**
 * An inference server: one model, one lifecycle, and the surfaces that read it. The map:
 * <ul>
 * <li>{@code model} - the fork's room: what a model is, and the one for ONNX files;</li>
 * <li>{@code lifecycle} - owns the model's life, and the one state everything reads;</li>
 * <li>{@code admission} - whether a call may run, how long it may wait and take;</li>
 * <li>{@code protocol} - bytes to tensors and back, for every dialect;</li>
 * <li>{@code health} - what each probe says of the state;</li>
 * <li>{@code ops} - the probe a container runs, of the JDK alone.</li>
 * </ul>
 * A request passes forward only: protocol, admission, lifecycle, model. The rooms know
 * each other as a test lists it, and in no other way.
 */
@NullMarked
package inference;

import org.jspecify.annotations.NullMarked;
