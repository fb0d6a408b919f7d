import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.api.DefaultApi;
import org.openapitools.client.model.DataType;
import org.openapitools.client.model.V1Request;
import org.openapitools.client.model.RowRequest;
import org.openapitools.client.model.V2Request;
import org.openapitools.client.model.V2RequestInputsInner;

/**
 * Lets the Java client of openapi-generator predict three irises. The argument is the
 * server's port.
 */
public class Predict {

	private static final List<List<Object>> ROWS = List.of(List.of(5.1, 3.5, 1.4, 0.2), List.of(6.8, 2.8, 4.8, 1.4),
			List.of(6.3, 3.3, 6.0, 2.5));

	private static final List<Object> LABELS = List.of("setosa", "versicolor", "virginica");

	public static void main(String[] arguments) throws ApiException {
		ApiClient client = new ApiClient();
		client.updateBaseUri("http://localhost:" + arguments[0]);
		DefaultApi api = new DefaultApi(client);
		List<Object> labels = new ArrayList<>();
		for (Object row : api.predict("iris", new V1Request(new RowRequest().instances(new ArrayList<>(ROWS))), null, 3000).getPredictions()) {
			labels.add(((Map<?, ?>) row).get("label"));
		}
		check(labels);
		List<Object> values = new ArrayList<>();
		ROWS.forEach(values::addAll);
		V2RequestInputsInner tensor = new V2RequestInputsInner().name("input-0")
			.shape(List.of(3, 4))
			.datatype(DataType.FP32)
			.data(values);
		V2Request request = new V2Request().inputs(List.of(tensor));
		check(api.infer("iris", request, "an id", null, null).getOutputs().get(0).getData());
		try {
			api.infer("other", request, null, null, null);
			throw new AssertionError("the request should have been refused");
		}
		catch (ApiException ex) {
			if (ex.getCode() != 404) {
				throw ex;
			}
		}
	}

	private static void check(Object labels) {
		if (!LABELS.equals(labels)) {
			throw new AssertionError(labels + " instead of " + LABELS);
		}
	}

}
