package inference.admission;

import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.springframework.boot.actuate.info.Info;
import org.springframework.boot.actuate.info.InfoContributor;
import org.springframework.boot.convert.DurationStyle;
import org.springframework.stereotype.Component;

import inference.lifecycle.ModelLifecycle;
import inference.model.ModelMetadata;
import inference.model.ModelProperties;
import inference.model.TensorSpec;

/**
 * What is served and how much of it at once, for {@code /actuator/info} and the log.
 */
@Component
final class ServedModel implements InfoContributor {

	private final ModelLifecycle lifecycle;

	private final ModelProperties model;

	private final AdmissionProperties properties;

	private final DeadlineProperties deadline;

	ServedModel(ModelLifecycle lifecycle, ModelProperties model, AdmissionProperties properties,
			DeadlineProperties deadline) {
		this.lifecycle = lifecycle;
		this.model = model;
		this.properties = properties;
		this.deadline = deadline;
	}

	@Override
	public void contribute(Info.Builder builder) {
		builder.withDetail("model", model()).withDetail("limits", limits());
	}

	private Map<String, Object> model() {
		Map<String, Object> facts = new LinkedHashMap<>();
		facts.put("name", this.model.name());
		facts.put("version", this.model.version());
		ModelMetadata metadata = this.lifecycle.metadata();
		if (metadata != null) {
			facts.put("platform", metadata.platform());
			facts.put("inputs", tensors(metadata.signature().inputs()));
			facts.put("outputs", tensors(metadata.signature().outputs()));
		}
		facts.put("threads", this.model.threads());
		return facts;
	}

	private Map<String, Object> limits() {
		Map<String, Object> facts = new LinkedHashMap<>();
		facts.put("maxConcurrent", this.properties.maxConcurrent(this.model.threads()));
		facts.put("maxQueued", this.properties.maxQueued());
		facts.put("deadline", DurationStyle.SIMPLE.print(this.deadline.deadline(), ChronoUnit.MILLIS));
		return facts;
	}

	private static List<String> tensors(List<TensorSpec> tensors) {
		return tensors.stream().map(TensorSpec::toString).toList();
	}

}
