package inference.admission;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.actuate.info.Info;
import org.springframework.boot.actuate.info.InfoContributor;
import org.springframework.stereotype.Component;

import inference.lifecycle.Rehearsal;
import inference.model.DataType;
import inference.model.Example;
import inference.model.Signature;
import inference.model.Tensor;

/**
 * How many rows of different requests are run together. Unless configured, warm-up finds
 * it out by running them: as few as have nearly all of the gain, and none if there is
 * hardly any, or if rows come out differently in company.
 */
@Component
final class Batching implements Rehearsal, InfoContributor {

	private static final int MOST = 32;

	// The least gain in rows per second that is worth waiting for one's neighbours.
	private static final double WORTHWHILE = 1.2;

	private static final double NEARLY_ALL = 0.9;

	// Of a request's time, for one run.
	private static final int SHARE = 8;

	// Floating point sums come out slightly differently in another order.
	private static final double TOLERANCE = 1e-4;

	private final AdmissionProperties.Batching properties;

	private final long longest;

	private final int most;

	// The quickest run so far of 1, 2, 4, … rows, in nanoseconds.
	private final List<Long> quickest = new ArrayList<>();

	private volatile Decision decision = new Decision(1, 1, "nothing is measured yet");

	private volatile boolean impossible;

	Batching(AdmissionProperties properties, MeterRegistry registry) {
		this.properties = properties.batching();
		Integer configured = this.properties.maxSize();
		this.most = (configured != null) ? configured : MOST;
		this.longest = properties.deadline().toNanos() / SHARE;
		Gauge.builder("inference.batching.max.size", this, Batching::maxSize)
			.description("Rows of different requests that are run together at most")
			.register(registry);
		Gauge.builder("inference.batching.gain", this, (batching) -> batching.decision.gain)
			.description("Rows per second of such a batch, as a multiple of those run one by one")
			.register(registry);
	}

	/** How many rows are run together at most; 1 for none. */
	int maxSize() {
		return this.decision.maxSize;
	}

	/** How long a call waits for others to join it, in nanoseconds. */
	long maxDelay() {
		return (maxSize() > 1) ? this.properties.maxDelay().toNanos() : 0;
	}

	@Override
	public void contribute(Info.Builder builder) {
		builder.withDetail("batching", this.decision);
	}

	@Override
	public void rehearse(Signature signature, Map<String, Tensor> inputs, UnaryOperator<Map<String, Tensor>> model) {
		if (this.impossible) {
			return;
		}
		if (this.most == 1) {
			exclude("as configured");
			return;
		}
		if (!Batch.isPossible(signature) || !Batch.fits(inputs, inputs) || Batch.rows(inputs) == 0) {
			exclude("not every tensor has an open first dimension");
			return;
		}
		try {
			List<Map<String, Tensor>> rows = differentRows(inputs);
			if (this.quickest.isEmpty() && this.properties.maxSize() == null) {
				String difference = difference(rows, model);
				if (difference != null) {
					exclude("in company of another row, %s".formatted(difference));
					return;
				}
			}
			time(rows.getFirst(), model);
			this.decision = decide();
		}
		catch (RuntimeException ex) {
			exclude("the model failed on several rows: %s".formatted(ex.getMessage()));
		}
	}

	private void exclude(String reason) {
		this.impossible = true;
		this.decision = new Decision(1, 1, reason);
	}

	private static @Nullable String difference(List<Map<String, Tensor>> rows,
			UnaryOperator<Map<String, Tensor>> model) {
		List<Map<String, Tensor>> together = Batch.split(model.apply(Batch.join(rows)),
				Collections.nCopies(rows.size(), 1L));
		for (int i = 0; i < rows.size(); i++) {
			Map<String, Tensor> row = rows.get(i);
			String difference = new Example(row, model.apply(row), TOLERANCE).difference(together.get(i));
			if (difference != null) {
				return difference;
			}
		}
		return null;
	}

	private void time(Map<String, Tensor> row, UnaryOperator<Map<String, Tensor>> model) {
		for (int power = 0; 1 << power <= this.most; power++) {
			if (power > 0 && this.quickest.get(power - 1) * 2 > this.longest) {
				return;
			}
			Map<String, Tensor> rows = Batch.join(Collections.nCopies(1 << power, row));
			long start = System.nanoTime();
			Batch.split(model.apply(rows), Collections.nCopies(1 << power, 1L));
			long took = Math.max(1, System.nanoTime() - start);
			if (power == this.quickest.size()) {
				this.quickest.add(took);
			}
			this.quickest.set(power, Math.min(took, this.quickest.get(power)));
		}
	}

	private Decision decide() {
		double best = 1;
		for (int power = 0; power < this.quickest.size(); power++) {
			best = Math.max(best, gain(power));
		}
		int enough = 0;
		while (gain(enough) < NEARLY_ALL * best) {
			enough++;
		}
		if (this.properties.maxSize() != null) {
			return new Decision(this.most, gain(this.quickest.size() - 1), "as configured");
		}
		boolean worthwhile = gain(enough) >= WORTHWHILE;
		return new Decision(worthwhile ? 1 << enough : 1, gain(enough),
				worthwhile ? "measured during warm-up" : "hardly a gain was measured during warm-up");
	}

	private double gain(int power) {
		return (double) (1 << power) * this.quickest.getFirst() / this.quickest.get(power);
	}

	// Rows that are alike would hide that they influence each other.
	private static List<Map<String, Tensor>> differentRows(Map<String, Tensor> inputs) {
		int rows = Math.toIntExact(Batch.rows(inputs));
		if (rows > 1) {
			return Batch.split(inputs, Collections.nCopies(rows, 1L));
		}
		Map<String, Tensor> other = new LinkedHashMap<>();
		inputs.forEach((name, tensor) -> other.put(name, different(tensor)));
		return List.of(inputs, other);
	}

	// Each number a little different, so that it is still one that the model can use.
	private static Tensor different(Tensor tensor) {
		if (tensor.dataType() == DataType.BYTES) {
			return tensor;
		}
		ByteBuffer from = tensor.contents();
		ByteBuffer to = ByteBuffer.allocate(from.remaining()).order(ByteOrder.LITTLE_ENDIAN);
		while (from.hasRemaining()) {
			switch (tensor.dataType()) {
				case FP32 -> to.putFloat(from.getFloat() + 1);
				case FP64 -> to.putDouble(from.getDouble() + 1);
				default -> {
					to.put((byte) (from.get() ^ 1));
					for (int i = 1; i < tensor.dataType().width(); i++) {
						to.put(from.get());
					}
				}
			}
		}
		return Tensor.of(tensor.dataType(), tensor.shape(), to.flip());
	}

	/**
	 * What was decided, and why.
	 */
	record Decision(int maxSize, double gain, String reason) {
	}

}
