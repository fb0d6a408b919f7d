package inference.model;

import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.stereotype.Component;

/**
 * A fork's class that misbehaves as the property {@code chaos} says: the tests of the
 * image put it on the class path of the real server.
 */
@Component
@ConditionalOnProperty("chaos")
final class ChaosModel implements Model {

	private final FakeModel model = new FakeModel();

	private final boolean hangs;

	ChaosModel(@Value("${chaos}") String chaos) throws InterruptedException {
		this.hangs = chaos.equals("hang");
		if (chaos.equals("load")) {
			new CountDownLatch(1).await();
		}
	}

	@Override
	public Signature signature() {
		return this.model.signature();
	}

	@Override
	public Map<String, Tensor> infer(Map<String, Tensor> inputs) {
		Map<String, Tensor> outputs = this.model.infer(inputs);
		if (this.hangs && outputs.values().iterator().next().floats()[0] == 1) {
			hang();
		}
		return outputs;
	}

	private static void hang() {
		while (true) {
			try {
				TimeUnit.DAYS.sleep(1);
			}
			catch (InterruptedException ex) {
				// Like a native call, it knows nothing of interruption.
			}
		}
	}

}
