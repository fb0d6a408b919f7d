package inference.health;

import org.springframework.stereotype.Component;

import inference.lifecycle.ModelLifecycle;
import inference.lifecycle.Snapshot;

/**
 * Answers the probes: one volatile read and one table lookup, however busy the server is.
 */
@Component
public final class Probes {

	private final ModelLifecycle lifecycle;

	Probes(ModelLifecycle lifecycle) {
		this.lifecycle = lifecycle;
	}

	public Verdict ask(Probe probe) {
		Snapshot now = this.lifecycle.snapshot();
		return new Verdict(probe.passes(now.state()), now.state().name(), now.reason());
	}

}
