package inference.web;

import java.util.Map;
import java.util.function.UnaryOperator;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.stereotype.Component;

import inference.lifecycle.WarmUpListener;
import inference.model.ModelMetadata;
import inference.model.Tensor;

/**
 * Logs a warning if one row of the model's inputs is larger than a body may be, because
 * every request would get status 413. The check runs after the model is loaded.
 */
@Component
final class RequestSizeCheck implements WarmUpListener {

	private static final Logger logger = LoggerFactory.getLogger(RequestSizeCheck.class);

	private final long maxBodyBytes;

	RequestSizeCheck(RequestProperties properties) {
		this.maxBodyBytes = properties.maxSize().toBytes();
	}

	@Override
	public void beforeTimedRuns(ModelMetadata metadata, UnaryOperator<Map<String, Tensor>> modelFunction) {
		double minBytes = metadata.signature().inputs().stream().mapToDouble((input) -> input.minBytes(1, 1)).sum();
		if (minBytes > this.maxBodyBytes) {
			logger.warn(
					"The smallest request for this model has {} bytes in binary, and more as JSON, but a body may have"
							+ " {} bytes: every request gets 413 until inference.request.max-size is raised",
					"%.0f".formatted(minBytes), this.maxBodyBytes);
		}
	}

}
