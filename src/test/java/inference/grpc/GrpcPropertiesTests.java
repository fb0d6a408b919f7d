package inference.grpc;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

import static org.assertj.core.api.Assertions.assertThat;

class GrpcPropertiesTests {

	@ParameterizedTest
	@CsvSource({ "true, true", "FALSE, true", "1, false", "on, false" })
	void refusesOtherWordsForTrue(String value, boolean isAccepted) {
		new ApplicationContextRunner().withUserConfiguration(Properties.class)
			.withPropertyValues("inference.grpc.enabled=" + value)
			.run((context) -> assertThat(context.getStartupFailure() == null).isEqualTo(isAccepted));
	}

	@EnableConfigurationProperties(GrpcProperties.class)
	static class Properties {

	}

}
