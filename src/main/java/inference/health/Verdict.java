package inference.health;

/**
 * A probe's answer with what it rests on.
 *
 * @param passes 200 if so, else 503
 * @param state the lifecycle's state
 * @param reason one sentence for an operator
 */
public record Verdict(boolean passes, String state, String reason) {
}
