package inference.model;

import java.util.List;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.Pattern;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * The configuration of the model that is served.
 *
 * @param name the model's name in paths and metadata, of letters, digits, '.', '_', '-'.
 * The names '.' and '..' are not allowed
 * @param version the model's version in paths and metadata, of the same characters
 * @param location the ONNX file: {@code classpath:model.onnx}, a file, or a directory
 * that contains {@code model.onnx}, such as a mounted volume
 * @param threads the number of CPUs that one call may use, 1 to 1000 (ONNX Runtime's
 * intra-op threads)
 * @param device {@code cpu}, {@code cuda} for the first GPU, or {@code cuda:n}
 * @param sessionConfig entries of ONNX Runtime's session configuration, each of the form
 * {@code key=value}. ONNX Runtime's {@code onnxruntime_session_options_config_keys.h}
 * lists the keys. Unknown keys are ignored. An entry replaces the value that the server
 * sets for its key. Commas separate entries, so set an entry that contains a comma with
 * the variable {@code INFERENCE_MODEL_SESSIONCONFIG_0}
 * @param customOperators paths of native libraries with operators that ONNX Runtime does
 * not have, such as those of onnxruntime-extensions
 */
@Validated
@ConfigurationProperties(prefix = "inference.model", ignoreUnknownFields = false)
public record ModelProperties(@NotBlank @Pattern(regexp = NAME_PATTERN, message = NAME_MESSAGE) String name,
		@NotBlank @Pattern(regexp = NAME_PATTERN, message = NAME_MESSAGE) @DefaultValue("1") String version,
		@NotBlank @DefaultValue("classpath:model.onnx") String location,
		@Min(1) @Max(1000) @DefaultValue("1") int threads,
		@Pattern(regexp = "cpu|cuda(:[0-9]{1,3})?",
				message = "must be cpu, cuda or cuda:n") @DefaultValue("cpu") String device,
		@DefaultValue List<@Pattern(regexp = "[^=\\s]+=.*",
				message = "must be key=value, without a space before the '='") String> sessionConfig,
		@DefaultValue List<@NotBlank String> customOperators) {

	/** The version that means the newest one. OpenVINO's client sends it by default. */
	public static final String NEWEST_VERSION = "0";

	private static final String NAME_PATTERN = "(?!\\.{1,2}$)[A-Za-z0-9._-]{0,100}";

	private static final String NAME_MESSAGE = "must be letters, digits, '.', '_' or '-', 100 at most, and neither '.' nor '..'";

	/** Whether a requested version means the served one. */
	public boolean servesVersion(String requestedVersion) {
		return requestedVersion.equals(this.version) || requestedVersion.equals(NEWEST_VERSION);
	}

}
