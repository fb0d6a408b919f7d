package inference.lifecycle;

/**
 * The lifecycle's state at one moment.
 *
 * @param state the state
 * @param reason the reason for the state, as text for an operator
 */
public record Snapshot(State state, String reason) {
}
