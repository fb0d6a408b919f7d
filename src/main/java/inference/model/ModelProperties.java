package inference.model;

import java.util.List;

import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.Pattern;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Which model is served, and under which name.
 *
 * @param name the name in every path and in metadata: letters, digits, '.', '_' and '-'
 * @param version the version in paths and metadata, any short text of the same characters
 * @param location the ONNX file: {@code classpath:model.onnx}, a file, or a directory
 * that holds {@code model.onnx}, such as a mounted storage
 * @param threads CPUs that one call may use (ONNX Runtime's intra-op threads)
 * @param device {@code cpu}, {@code cuda}, or {@code cuda:n} for another GPU than the
 * first
 * @param sessionConfig entries of ONNX Runtime's session configuration, {@code key=value}
 * each, as its {@code onnxruntime_session_options_config_keys.h} has them; each replaces
 * the one of the same key that {@link OnnxOptions} sets, and ONNX Runtime ignores keys it
 * does not know. A value with a comma needs a list's form, such as
 * {@code INFERENCE_MODEL_SESSIONCONFIG_0}
 */
@Validated
@ConfigurationProperties(prefix = "inference.model", ignoreUnknownFields = false)
public record ModelProperties(@NotBlank @Pattern(regexp = NAME, message = MESSAGE) String name,
		@NotBlank @Pattern(regexp = NAME, message = MESSAGE) @DefaultValue("1") String version,
		@NotBlank @DefaultValue("classpath:model.onnx") String location, @Min(1) @DefaultValue("1") int threads,
		@Pattern(regexp = DEVICE, message = DEVICE_MESSAGE) @DefaultValue("cpu") String device,
		@DefaultValue List<@Pattern(regexp = ENTRY, message = ENTRY_MESSAGE) String> sessionConfig) {

	private static final String NAME = "[A-Za-z0-9._-]{0,100}";

	private static final String DEVICE = "cpu|cuda(:[0-9]{1,3})?";

	private static final String DEVICE_MESSAGE = "must be cpu, cuda or cuda:n";

	private static final String ENTRY = "[^=\\s]+=.*";

	private static final String ENTRY_MESSAGE = "must be key=value, without a space before the '='";

	private static final String MESSAGE = "must be letters, digits, '.', '_' or '-', 100 at most";

}
