package inference;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

import io.restassured.RestAssured;
import io.restassured.builder.RequestSpecBuilder;
import io.restassured.config.JsonConfig;
import io.restassured.config.RestAssuredConfig;
import io.restassured.path.json.config.JsonPathConfig.NumberReturnType;
import io.restassured.specification.RequestSpecification;

import org.springframework.boot.SpringApplication;
import org.springframework.context.ApplicationListener;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.support.GenericApplicationContext;

import inference.lifecycle.Lifecycles;
import inference.lifecycle.ModelLifecycle;
import inference.lifecycle.Snapshot;
import inference.lifecycle.State;
import inference.model.Model;

/**
 * The whole server, on a free port, around a model of the test's.
 */
final class Server implements AutoCloseable {

	private static final Duration PATIENCE = Duration.ofSeconds(30);

	private final BlockingQueue<Snapshot> changes = new LinkedBlockingQueue<>();

	private final ConfigurableApplicationContext context;

	private Server(Supplier<? extends Model> model, String... properties) {
		SpringApplication application = new SpringApplication(InferenceServer.class);
		application.setRegisterShutdownHook(false);
		application.addInitializers((starting) -> {
			starting.addApplicationListener(ApplicationListener.<Snapshot>forPayload(this.changes::add));
			if (starting instanceof GenericApplicationContext generic) {
				// Primary, for a fork's class is a model of the application, too
				generic.registerBean("testModel", Model.class, model::get, (bean) -> bean.setPrimary(true));
			}
		});
		Map<String, String> arguments = new LinkedHashMap<>(
				Map.of("server.port", "0", "inference.model.name", "adder"));
		for (String property : properties) {
			int equals = property.indexOf('=');
			arguments.put(property.substring(0, equals), property.substring(equals + 1));
		}
		this.context = application.run(arguments.entrySet()
			.stream()
			.map((property) -> "--%s=%s".formatted(property.getKey(), property.getValue()))
			.toArray(String[]::new));
	}

	/** A server that may still be loading. */
	static Server starting(Supplier<? extends Model> model, String... properties) {
		return new Server(model, properties);
	}

	/** A server that is ready. */
	static Server ready(Supplier<? extends Model> model, String... properties) {
		Server server = new Server(model, properties);
		server.await(State.READY);
		return server;
	}

	void await(State state) {
		try {
			while (this.context.getBean(ModelLifecycle.class).snapshot().state() != state) {
				if (this.changes.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS) == null) {
					throw new AssertionError("the server did not become " + state);
				}
			}
		}
		catch (InterruptedException ex) {
			throw new AssertionError(ex);
		}
	}

	/** Serves another model from now on. */
	void swap(Model next) {
		Lifecycles.swap(this.context.getBean(ModelLifecycle.class), next);
	}

	int port() {
		return this.context.getEnvironment().getRequiredProperty("local.server.port", Integer.class);
	}

	ConfigurableApplicationContext context() {
		return this.context;
	}

	RequestSpecification request() {
		RequestSpecification specification = new RequestSpecBuilder().setBaseUri("http://localhost")
			.setPort(port())
			.build();
		RestAssuredConfig config = RestAssuredConfig.config()
			.jsonConfig(JsonConfig.jsonConfig().numberReturnType(NumberReturnType.DOUBLE));
		return RestAssured.given(specification).config(config);
	}

	@Override
	public void close() {
		this.context.close();
	}

}
