package inference;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;

import io.restassured.response.ValidatableResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;

/**
 * Predictions over a real port, in every dialect and with every mistake.
 */
class PredictionTests {

	private static final String ROWS = "{\"instances\":[[1,2],[4,3]]}";

	private static final String OIP = """
			{"id":"a-1","inputs":[{"name":"x","shape":[2,2],"datatype":"FP32","data":[1,2,4,3]}]}""";

	private static Server server;

	@BeforeAll
	static void start() {
		server = Server.ready(TestModel::new, "inference.request.max-size=1KB");
	}

	@AfterAll
	static void stop() {
		server.close();
	}

	@ParameterizedTest
	@ValueSource(strings = { "/", "/v1/models/adder:predict", "/v1/models/adder/versions/1:predict",
			"/api/predict/some_service", "/api/predict/some_service/",
			"/api/predict/some_service/v1/models/adder:predict" })
	void answersRowsWithRows(String path) {
		post(path, ROWS).statusCode(200)
			.contentType("application/json")
			.body("predictions.sum", equalTo(List.of(3.0, 7.0)))
			.body("predictions.larger", equalTo(List.of("second", "first")));
	}

	@ParameterizedTest
	@ValueSource(strings = { "/", "/v2/models/adder/infer", "/v2/models/adder/versions/1/infer",
			"/api/predict/some_service/v2/models/adder/infer" })
	void answersTheOpenInferenceProtocolInItsOwnForm(String path) {
		post(path, OIP).statusCode(200)
			.body("model_name", equalTo("adder"))
			.body("model_version", equalTo("1"))
			.body("id", equalTo("a-1"))
			.body("outputs.name", equalTo(List.of("sum", "larger")))
			.body("outputs.datatype", equalTo(List.of("FP32", "BYTES")))
			.body("outputs.shape", equalTo(List.of(List.of(2), List.of(2))))
			.body("outputs.data", equalTo(List.of(List.of(3.0, 7.0), List.of("second", "first"))));
	}

	@Test
	void answersOnlyTheOutputsAskedFor() {
		post("/v2/models/adder/infer",
				"""
						{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[[1,2]]}],"outputs":[{"name":"larger"}]}""")
			.statusCode(200)
			.body("outputs.name", equalTo(List.of("larger")));
	}

	@Test
	void readsMembersInAnyOrder() {
		post("/v2/models/adder/infer", """
				{"inputs":[{"data":[1,2],"parameters":{"a":1},"datatype":"FP32","shape":[1,2],"name":"x"}]}""")
			.statusCode(200)
			.body("outputs[0].data", equalTo(List.of(3.0)));
	}

	@Test
	void answersColumnsWithColumns() {
		post("/", "{\"inputs\":{\"x\":[[1,2],[4,3]]}}").statusCode(200)
			.body("outputs.sum", equalTo(List.of(3.0, 7.0)))
			.body("outputs.larger", equalTo(List.of("second", "first")));
		post("/v1/models/adder:predict", "{\"inputs\":[[1,2]]}").statusCode(200)
			.body("outputs.sum", equalTo(List.of(3.0)));
	}

	@Test
	void takesARowAsAnObjectToo() {
		post("/", "{\"instances\":[{\"x\":[1,2]}]}").statusCode(200).body("predictions[0].sum", equalTo(3.0));
	}

	@Test
	void predictsNothingForNoRows() {
		post("/", "{\"instances\":[]}").statusCode(200).body("predictions", equalTo(List.of()));
	}

	@ParameterizedTest
	@ValueSource(strings = { "application/json", "application/octet-stream", "application/x-www-form-urlencoded",
			"text/plain", "multipart/form-data", "nonsense", "" })
	void takesJsonWhateverTheContentType(String contentType) throws Exception {
		HttpRequest.Builder request = HttpRequest
			.newBuilder(URI.create("http://localhost:%d/".formatted(server.port())))
			.POST(BodyPublishers.ofString(ROWS));
		if (!contentType.isEmpty()) {
			request.header("Content-Type", contentType);
		}
		try (HttpClient client = HttpClient.newHttpClient()) {
			HttpResponse<String> response = client.send(request.build(), BodyHandlers.ofString());
			assertThat(response.statusCode()).isEqualTo(200);
			assertThat(response.body()).contains("\"sum\":3.0", "\"sum\":7.0");
		}
	}

	@Test
	void takesAGetWithABodyAsAPrediction() {
		server.request().body(ROWS).get("/").then().statusCode(200).body("predictions.sum", equalTo(List.of(3.0, 7.0)));
	}

	@Test
	void summarisesItselfForAGetWithout() {
		server.request()
			.get("/")
			.then()
			.statusCode(200)
			.body("name", equalTo("adder"))
			.body("version", equalTo("1"))
			.body("state", equalTo("READY"))
			.body("ready", equalTo(true));
	}

	@Test
	void describesServerAndModel() {
		for (String path : List.of("/v2", "/v2/")) {
			server.request().get(path).then().statusCode(200).body("name", equalTo("inference-server"));
		}
		server.request()
			.get("/v2/models/adder")
			.then()
			.statusCode(200)
			.body("name", equalTo("adder"))
			.body("versions", equalTo(List.of("1")))
			.body("platform", equalTo("java_class"))
			.body("inputs[0].name", equalTo("x"))
			.body("inputs[0].datatype", equalTo("FP32"))
			.body("inputs[0].shape", equalTo(List.of(-1, 2)))
			.body("outputs.name", equalTo(List.of("sum", "larger")));
		server.request()
			.get("/v1/models/adder")
			.then()
			.statusCode(200)
			.body("model_version_status[0].state", equalTo("AVAILABLE"));
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', quoteCharacter = '~',
			textBlock = """
					/                       | ~~                                          | The body is empty
					/                       | {"instances":                               | The body is not JSON
					/                       | []                                          | must be a JSON object
					/                       | {}                                          | The body has no tensors
					/                       | {"instances":[[1,2]]} x                     | The body
					/                       | {"instances":[[1,2],[3]]}                   | rows of 2 and of 1 values
					/                       | {"instances":[[1,2],3]}                     | values at different depths
					/                       | {"instances":[[1,2,3]]}                     | more than 2 values in one array
					/                       | {"instances":[[[1,2]]]}                     | must have shape [-1,2]
					/                       | {"instances":[[1,"2"]]}                     | is FP32 and cannot take the string "2"
					/                       | {"instances":[[1,null]]}                    | is FP32 and cannot take null
					/                       | {"instances":[[1,1e99]]}                    | is FP32, for which 1e99 is out of range
					/                       | {"instances":[{"y":[1,2]}]}                 | There is no input 'y'
					/                       | {"instances":[{}]}                          | Instance 0 lacks input 'x'
					/                       | {"instances":[{"x":[1,2],"x":[1,2]}]}       | twice
					/                       | {"instances":[[1,2]],"inputs":{}}           | tensors twice
					/                       | {"inputs":{}}                               | Input 'x' is missing
					/v2/models/adder/infer  | {"instances":[[1,2]]}                       | takes another form
					/v1/models/adder:predict| {"inputs":[{"name":"x","shape":[1,2]}]}     | cannot take an object
					/v2/models/adder/infer  | {"inputs":[]}                               | Input 'x' is missing
					/v2/models/adder/infer  | {"inputs":[{"name":"x"}]}                   | must have name, shape, datatype and data
					/v2/models/adder/infer  | {"inputs":[{"name":"y","shape":[1,2],"datatype":"FP32","data":[1,2]}]}  | There is no input 'y'
					/v2/models/adder/infer  | {"inputs":[{"name":"x","shape":[1,2],"datatype":"INT64","data":[1,2]}]} | is FP32, not INT64
					/v2/models/adder/infer  | {"inputs":[{"name":"x","shape":[2],"datatype":"FP32","data":[1,2]}]}    | must have shape [-1,2], not [2]
					/v2/models/adder/infer  | {"inputs":[{"name":"x","shape":[2,2],"datatype":"FP32","data":[1,2]}]}  | states shape [2,2], which is 4 elements
					/v2/models/adder/infer  | {"inputs":[{"name":"x","shape":[-1,2],"datatype":"FP32","data":[1,2]}]} | integers, 0 or more
					/v2/models/adder/infer  | {"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}],"outputs":[{"name":"z"}]} | There is no output 'z'
					/                       | {"instances":[[400,0]]}                     | 400 is not a number this model likes
					""")
	void refusesWithASentence(String path, String body, String sentence) {
		post(path, body).statusCode(400).body("error", containsString(sentence));
		stillReady();
	}

	@Test
	void refusesALargeBodyByItsLength() {
		post("/", "{\"instances\":[" + "[1,2],".repeat(200) + "[1,2]]}").statusCode(413)
			.body("error", containsString("larger than 1024 bytes"));
		stillReady();
	}

	@Test
	void answersFiveHundredWhenTheModelFails() {
		post("/", "{\"instances\":[[500,0]]}").statusCode(500)
			.body("error", equalTo("The model failed: the model broke on 500"));
		stillReady();
	}

	@Test
	void neverAnswersNotANumberAsJson() {
		post("/", "{\"instances\":[[600,0]]}").statusCode(400)
			.body("error", containsString("Output 'sum' contains NaN"));
	}

	@ParameterizedTest
	@CsvSource({ "POST, /v1/models/other:predict", "POST, /v1/models/adder/versions/2:predict", "GET, /v2/models/other",
			"GET, /v2/models/adder/versions/2", "GET, /v1/models/adder:explain", "GET, /v2/nothing", "GET, /nothing",
			"GET, /actuator", "GET, /actuator/env", "GET, /actuator/heapdump", "POST, /actuator/shutdown" })
	void answersFourHundredAndFourToWhatIsNotThere(String method, String path) {
		server.request().request(method, path).then().statusCode(404).body("error", containsString("no"));
	}

	@ParameterizedTest
	@CsvSource({ "PUT, /", "DELETE, /", "GET, /v1/models/adder:predict", "GET, /v2/models/adder/infer",
			"POST, /v2/models/adder", "POST, /v2/health/ready" })
	void refusesOtherMethods(String method, String path) {
		server.request()
			.request(method, path)
			.then()
			.statusCode(405)
			.body("error", containsString("is not allowed here"));
	}

	@Test
	void echoesNoMoreThanAnExcerpt() {
		String error = post("/", "{\"instances\":[{\"" + "n".repeat(900) + "\":1}]}").statusCode(400)
			.extract()
			.path("error");
		assertThat(error).hasSizeLessThan(300);
	}

	private static ValidatableResponse post(String path, String body) {
		return server.request().body(body).post(path).then();
	}

	private static void stillReady() {
		server.request().get("/readyz").then().statusCode(200);
	}

}
