package inference.admission;

import java.util.Map;
import java.util.function.UnaryOperator;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.boot.actuate.info.Info;
import org.springframework.boot.actuate.info.InfoContributor;
import org.springframework.boot.context.properties.source.InvalidConfigurationPropertyValueException;
import org.springframework.stereotype.Component;

import inference.lifecycle.WarmUpListener;
import inference.model.ModelMetadata;
import inference.model.Tensor;

/**
 * Limits how many rows of different requests run together. The limit is 1 until the
 * warm-up has searched for rows that influence each other. The limit stays 1 if the
 * search finds such rows or could not compare rows, or if the model's signature does not
 * allow batches.
 */
@Component
final class Batching implements WarmUpListener, InfoContributor {

	private static final Logger logger = LoggerFactory.getLogger(Batching.class);

	private final BatchingProperties batchingProperties;

	private volatile Decision decision;

	Batching(BatchingProperties batchingProperties, DeadlineProperties deadlineProperties, Statistics statistics) {
		if (batchingProperties.maxSize() > 1
				&& batchingProperties.maxDelay().compareTo(deadlineProperties.deadline()) >= 0) {
			throw new InvalidConfigurationPropertyValueException("inference.batching.max-delay",
					batchingProperties.maxDelay(), "must be shorter than inference.deadline");
		}
		this.batchingProperties = batchingProperties;
		this.decision = new Decision(1,
				(batchingProperties.maxSize() == 1) ? "inference.batching.max-size is 1" : "not checked yet");
		statistics.registerGauge("inference.batching.max.size", null,
				"The most rows of different requests in one run; 1 if requests are not batched", this::maxRows);
	}

	int maxRows() {
		return this.decision.maxSize;
	}

	/** The longest wait of a call for others to join its batch, in nanoseconds. */
	long maxDelayNanos() {
		return (maxRows() > 1) ? this.batchingProperties.maxDelay().toNanos() : 0;
	}

	@Override
	public void contribute(Info.Builder builder) {
		builder.withDetail("batching", this.decision);
	}

	@Override
	public void beforeTimedRuns(ModelMetadata metadata, UnaryOperator<Map<String, Tensor>> modelFunction) {
		int configuredMaxRows = this.batchingProperties.maxSize();
		if (configuredMaxRows == 1) {
			return;
		}
		this.decision = metadata.signature().isBatchable()
				? new RowInfluenceSearch(metadata, configuredMaxRows, modelFunction).decide()
				: new Decision(1, "not every tensor has a variable first dimension");
		if (maxRows() == 1) {
			logger.warn("Requests are not batched, although inference.batching.max-size is {}: {}", configuredMaxRows,
					this.decision.reason);
		}
		else {
			logger.info("Requests are batched, up to {} rows in a run: {}", configuredMaxRows, this.decision.reason);
		}
	}

	/**
	 * Whether requests are batched, and why.
	 *
	 * @param maxSize the most rows of different requests in one run; 1 if requests are
	 * not batched
	 * @param reason the reason for the decision, as a clause
	 */
	record Decision(int maxSize, String reason) {
	}

}
