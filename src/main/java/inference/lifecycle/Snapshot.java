package inference.lifecycle;

import java.time.Instant;

/**
 * The state at one moment, with the reason.
 *
 * @param state where the model is in its life
 * @param reason one sentence for an operator
 * @param since when the state was entered
 */
public record Snapshot(State state, String reason, Instant since) {
}
