package inference.lifecycle;

/**
 * The lifecycle's state at one moment, and the reason for it, as text for an operator.
 */
public record Snapshot(State state, String reason) {
}
