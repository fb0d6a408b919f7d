package inference;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;

import io.restassured.RestAssured;
import io.restassured.config.JsonConfig;
import io.restassured.config.RestAssuredConfig;
import io.restassured.path.json.config.JsonPathConfig.NumberReturnType;
import io.restassured.specification.RequestSpecification;
import org.jspecify.annotations.Nullable;

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
 * The whole server on a free port, with a model that the test supplies.
 */
public final class Server implements AutoCloseable {

	private static final Duration TIMEOUT = Duration.ofSeconds(30);

	private static final RestAssuredConfig JSON_NUMBERS_AS_DOUBLE = RestAssuredConfig.config()
		.jsonConfig(JsonConfig.jsonConfig().numberReturnType(NumberReturnType.DOUBLE));

	private final BlockingQueue<Snapshot> changes = new LinkedBlockingQueue<>();

	private final AtomicReference<@Nullable Thread> loader = new AtomicReference<>();

	private volatile @Nullable Thread lifecycleThread;

	private final ConfigurableApplicationContext context;

	private volatile boolean closed;

	private Server(Supplier<? extends Model> model, Consumer<GenericApplicationContext> beans, String... properties) {
		SpringApplication application = new SpringApplication(InferenceServer.class);
		application.setRegisterShutdownHook(false);
		application.addInitializers((starting) -> {
			starting.addApplicationListener(ApplicationListener.<Snapshot>forPayload(this.changes::add));
			if (starting instanceof GenericApplicationContext generic) {
				// The bean is primary, because a fork's class is a model, too.
				generic.registerBean("testModel", Model.class, () -> load(model), (bean) -> bean.setPrimary(true));
				beans.accept(generic);
			}
		});
		// The tests expect this name and version, and HTTP without TLS. They send no
		// metrics to the backend of a fork.
		Map<String, String> arguments = new LinkedHashMap<>(
				Map.of("server.port", "0", "inference.model.name", "m", "inference.model.version", "1",
						"server.ssl.enabled", "false", "management.defaults.metrics.export.enabled", "false",
						"management.prometheus.metrics.export.enabled", "true"));
		for (String property : properties) {
			int equals = property.indexOf('=');
			arguments.put(property.substring(0, equals), property.substring(equals + 1));
		}
		this.context = application.run(arguments.entrySet()
			.stream()
			.map((property) -> "--%s=%s".formatted(property.getKey(), property.getValue()))
			.toArray(String[]::new));
	}

	/**
	 * The server that tests share: ready, with a new {@link TestModel} named {@code m}.
	 * It is started once and serves until the tests' process ends. A test may swap its
	 * model and must not close it.
	 */
	public static Server shared() {
		Shared.SERVER.swap(new TestModel());
		return Shared.SERVER;
	}

	/**
	 * The server that tests share whose model never becomes ready. No test may close it.
	 */
	public static Server loading() {
		return Loading.SERVER;
	}

	/** A server that may still be loading. */
	public static Server starting(Supplier<? extends Model> model, String... properties) {
		return new Server(model, (_) -> {
		}, properties);
	}

	/** A server that is ready. */
	public static Server ready(Supplier<? extends Model> model, String... properties) {
		return ready(model, (_) -> {
		}, properties);
	}

	/** A server that is ready and has beans of a fork. */
	public static Server ready(Supplier<? extends Model> model, Consumer<GenericApplicationContext> beans,
			String... properties) {
		Server server = new Server(model, beans, properties);
		server.await(State.READY);
		return server;
	}

	/** Waits for a state. If it is READY, all beans know it afterwards. */
	public void await(State state) {
		try {
			while (this.context.getBean(ModelLifecycle.class).snapshot().state() != state) {
				if (this.changes.poll(TIMEOUT.toSeconds(), TimeUnit.SECONDS) == null) {
					throw new AssertionError("the server did not become " + state);
				}
			}
			Thread publisher = this.lifecycleThread;
			if (state == State.READY && publisher != null) {
				publisher.join();
			}
		}
		catch (InterruptedException ex) {
			throw new AssertionError(ex);
		}
	}

	/** Serves another model from now on. */
	public void swap(Model next) {
		Lifecycles.swap(this.context.getBean(ModelLifecycle.class), next);
	}

	public int port() {
		return this.context.getEnvironment().getRequiredProperty("local.server.port", Integer.class);
	}

	public ConfigurableApplicationContext context() {
		return this.context;
	}

	public RequestSpecification request() {
		return RestAssured.given().config(JSON_NUMBERS_AS_DOUBLE).baseUri("http://localhost").port(port());
	}

	private Model load(Supplier<? extends Model> model) {
		this.loader.set(Thread.currentThread());
		this.lifecycleThread = Thread.currentThread();
		if (this.closed) {
			Thread.currentThread().interrupt();
		}
		try {
			return model.get();
		}
		finally {
			this.loader.set(null);
		}
	}

	/**
	 * Closes the server. A model that is still loading is interrupted, because the
	 * context waits for its constructor.
	 */
	@Override
	public void close() {
		this.closed = true;
		Thread loading = this.loader.get();
		if (loading != null) {
			loading.interrupt();
		}
		this.context.close();
	}

	private static final class Shared {

		static final Server SERVER = ready(TestModel::new, "inference.request.max-size=64KB");

	}

	private static final class Loading {

		static final Server SERVER = starting(() -> new TestModel(new CountDownLatch(1)));

	}

}
