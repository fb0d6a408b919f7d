package inference.health;

/**
 * The result of a probe.
 *
 * @param passes whether the answer is 200, and not 503
 * @param state the name of the lifecycle's state
 * @param reason the reason for the state, as one sentence for an operator
 */
public record Verdict(boolean passes, String state, String reason) {
}
