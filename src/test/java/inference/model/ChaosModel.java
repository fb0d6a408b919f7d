package inference.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Primary;
import org.springframework.stereotype.Component;

/**
 * A fork's model that fails as the property {@code chaos} says. The tests of the image
 * put this class on the class path of the real server.
 */
@Primary
@Component
@ConditionalOnProperty("chaos")
final class ChaosModel implements Model {

	// The first number of the input that makes the model fail. The warm-up never uses it.
	private static final float TRIGGER = -1;

	private final FakeModel model = new FakeModel();

	private final String chaos;

	ChaosModel(@Value("${chaos}") String chaos, @Value("${chaos-seconds:10000}") int seconds)
			throws InterruptedException {
		this.chaos = chaos;
		switch (chaos) {
			case "load" -> TimeUnit.SECONDS.sleep(seconds);
			case "fail" -> throw new UnusableModelException("The model is beyond use.", "Bring another.", null);
			default -> {
				// The model fails later, in infer().
			}
		}
	}

	@Override
	public Signature signature() {
		return this.model.signature();
	}

	@Override
	public Map<String, Tensor> infer(Map<String, Tensor> inputs) {
		Map<String, Tensor> outputs = this.model.infer(inputs);
		if (outputs.values().iterator().next().floats()[0] == TRIGGER) {
			switch (this.chaos) {
				case "hang" -> hang();
				case "crash" -> Runtime.getRuntime().halt(139);
				case "heap" -> exhaustTheHeap();
				default -> {
					// The constructor has failed, or has taken long.
				}
			}
		}
		return outputs;
	}

	private static void exhaustTheHeap() {
		List<byte[]> kept = new ArrayList<>();
		while (kept.size() < Integer.MAX_VALUE) {
			kept.add(new byte[1 << 20]);
		}
	}

	private static void hang() {
		while (true) {
			try {
				TimeUnit.DAYS.sleep(1);
			}
			catch (InterruptedException ex) {
				// A native call ignores interrupts, too.
			}
		}
	}

}
