package inference.lifecycle;

import java.time.Instant;

/**
 * The lifecycle's state at one moment.
 *
 * @param state the state
 * @param reason the reason for the state, as one sentence for an operator
 * @param since the time at which the state began
 */
public record Snapshot(State state, String reason, Instant since) {
}
