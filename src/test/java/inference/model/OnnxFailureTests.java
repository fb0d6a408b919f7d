package inference.model;

import java.util.List;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtException.OrtErrorCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

class OnnxFailureTests {

	@Test
	void saysWhichLocaleIsMissingWithoutSourceCode() {
		var failure = new OrtException(OrtErrorCode.ORT_FAIL, "Exception during initialization: "
				+ "/onnxruntime_src/onnxruntime/core/providers/cpu/text/string_normalizer.cc:235 "
				+ "onnxruntime::StringNormalizer::Locale::Locale(const std::string&)::<lambda()> Failed to construct "
				+ "locale with name:en_US.UTF-8:locale::facet::_S_create_c_locale name not valid:Please, install "
				+ "necessary language-pack-XX and configure locales\n");
		assertThat(OnnxFailure.cleanMessage(failure))
			.isEqualTo("Exception during initialization: Failed to construct locale with name:en_US.UTF-8:Please, "
					+ "install necessary language-pack-XX and configure locales");
	}

	@ParameterizedTest
	@ValueSource(strings = { "Deserialize tensor W failed.open file \"/models/weights.bin\" failed: Permission denied",
			"External data path validation failed for initializer: W. Error: Failed to get the weakly canonical path:"
					+ " /models/weights.bin - Permission denied" })
	void saysThatTheFilesWithTheWeightsAreNotReadable(String message) {
		var failure = new OrtException(OrtErrorCode.ORT_FAIL, message);
		assertThat(OnnxFailure.loadRemedy(failure, List.of()))
			.startsWith("Let every user read the files with its weights");
	}

	@Test
	void saysThatAFileInOrtFormatIsCutShort() {
		var failure = new OrtException(OrtErrorCode.ORT_FAIL, "LoadOrtModelWithLoader ORT model verification failed.");
		assertThat(OnnxFailure.loadRemedy(failure, List.of())).startsWith("Copy it again, whole");
	}

}
