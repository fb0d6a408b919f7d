package inference.web;

import java.nio.charset.StandardCharsets;

import com.aliyun.openservices.eas.predict.http.HttpConfig;
import com.aliyun.openservices.eas.predict.http.PredictClient;
import org.junit.jupiter.api.Test;

import inference.Server;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A prediction that the Java SDK of EAS requests.
 */
class EasSdkTests {

	@Test
	void answersThePredictClient() throws Exception {
		PredictClient client = new PredictClient(new HttpConfig());
		try {
			client.setEndpoint("localhost:" + Server.shared().port());
			client.setModelName("a_service");
			client.setToken("a-token");
			String answer = new String(client.predict("{\"instances\":[[1,2]]}".getBytes(StandardCharsets.UTF_8)),
					StandardCharsets.UTF_8);
			assertThat(answer).isEqualTo("{\"predictions\":[{\"sum\":3.0,\"larger\":\"second\"}]}");
		}
		finally {
			client.shutdown();
		}
	}

}
