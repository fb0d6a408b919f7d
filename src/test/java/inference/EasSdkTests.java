package inference;

import java.nio.charset.StandardCharsets;

import com.aliyun.openservices.eas.predict.http.HttpConfig;
import com.aliyun.openservices.eas.predict.http.PredictClient;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The server as the EAS Java SDK asks it.
 */
class EasSdkTests {

	@Test
	void isAnsweredUnmodified() throws Exception {
		PredictClient client = new PredictClient(new HttpConfig());
		try (Server server = Server.ready(TestModel::new)) {
			client.setEndpoint("localhost:" + server.port());
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
