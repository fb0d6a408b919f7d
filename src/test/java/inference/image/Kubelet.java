package inference.image;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

import inference.image.Service.Check;
import inference.image.Service.Exec;
import inference.image.Service.HttpGet;
import inference.image.Service.Method;
import inference.image.Service.TcpSocket;

/**
 * Does with a container what a node's kubelet does: asks its probes, restarts it, and
 * knows whether it may get traffic.
 */
final class Kubelet implements AutoCloseable {

	private final Container container;

	private final Service service;

	private final ScheduledExecutorService scheduler = Executors.newScheduledThreadPool(3);

	private final List<Answer> history = new ArrayList<>();

	private final Watch startup;

	private final Watch liveness;

	private final Watch readiness;

	private long startedAt = System.nanoTime();

	private int restarts;

	private boolean terminating;

	Kubelet(Container container, Service service) {
		this.container = container;
		this.service = service;
		this.startup = new Watch(Kind.STARTUP, service.startup());
		this.liveness = new Watch(Kind.LIVENESS, service.liveness());
		this.readiness = new Watch(Kind.READINESS, service.readiness());
		for (Watch watch : List.of(this.startup, this.liveness, this.readiness)) {
			var _ = this.scheduler.scheduleAtFixedRate(watch::ask, watch.check.initialDelay().toMillis(),
					watch.check.period().toMillis(), TimeUnit.MILLISECONDS);
		}
	}

	synchronized boolean ready() {
		return this.readiness.passed;
	}

	synchronized int restarts() {
		return this.restarts;
	}

	/** Every answer of a probe so far, in the order in which they came. */
	synchronized List<Answer> history(Kind kind) {
		return this.history.stream().filter((answer) -> answer.kind() == kind).toList();
	}

	/**
	 * Ends the container as when its pod is deleted: it is not restarted any more, but
	 * its readiness is still asked for. Returns the exit code.
	 */
	int terminate() {
		synchronized (this) {
			this.terminating = true;
		}
		return this.container.stop(this.service.gracePeriod());
	}

	@Override
	public void close() {
		this.scheduler.shutdownNow();
	}

	/** Asks once; the reason says what the answer was. */
	static Answer ask(Container container, Kind kind, Method method, Duration timeout) {
		try {
			return switch (method) {
				case HttpGet get -> {
					// Like the kubelet, each probe opens a connection of its own, which
					// proves that the server accepts connections.
					try (HttpClient client = HttpClient.newBuilder()
						.version(HttpClient.Version.HTTP_1_1)
						.connectTimeout(timeout)
						.build()) {
						HttpResponse<String> response = client.send(
								HttpRequest.newBuilder(container.uri(get.port(), get.path())).timeout(timeout).build(),
								HttpResponse.BodyHandlers.ofString());
						int code = response.statusCode();
						yield new Answer(kind, 200 <= code && code < 400, code + " " + response.body());
					}
				}
				case TcpSocket tcp -> {
					try (Socket socket = new Socket()) {
						socket.connect(new InetSocketAddress(container.uri(tcp.port(), "/").getHost(), tcp.port()),
								(int) timeout.toMillis());
						yield new Answer(kind, true, "connected");
					}
				}
				case Exec exec -> {
					Container.Result result = container.exec(timeout, exec.command().toArray(String[]::new));
					yield new Answer(kind, result.exitCode() == 0, result.exitCode() + " " + result.output());
				}
			};
		}
		catch (IOException | RuntimeException ex) {
			return new Answer(kind, false, ex.toString());
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			return new Answer(kind, false, ex.toString());
		}
	}

	private void restart() {
		this.container.stop(this.service.gracePeriod());
		this.container.start();
		this.startedAt = System.nanoTime();
		this.restarts++;
		this.startup.reset();
		this.liveness.reset();
		this.readiness.reset();
	}

	enum Kind {

		STARTUP, LIVENESS, READINESS

	}

	/**
	 * What one probe said, and why.
	 */
	record Answer(Kind kind, boolean passed, String reason) {
	}

	/**
	 * One of the checks, and the conclusion drawn from its answers so far.
	 */
	private final class Watch {

		private final Kind kind;

		private final Check check;

		private boolean passed;

		private int same;

		private boolean last;

		Watch(Kind kind, Check check) {
			this.kind = kind;
			this.check = check;
			reset();
		}

		void reset() {
			this.passed = this.kind == Kind.LIVENESS;
			this.same = 0;
		}

		void ask() {
			long asked = System.nanoTime();
			synchronized (Kubelet.this) {
				boolean due = asked - Kubelet.this.startedAt >= this.check.initialDelay().toNanos();
				boolean wanted = Kubelet.this.startup.passed != (this.kind == Kind.STARTUP);
				if (!due || !wanted || (Kubelet.this.terminating && this.kind != Kind.READINESS)) {
					return;
				}
			}
			Answer answer = Kubelet.ask(Kubelet.this.container, this.kind, this.check.method(), this.check.timeout());
			synchronized (Kubelet.this) {
				if (asked >= Kubelet.this.startedAt && !Kubelet.this.scheduler.isShutdown()) {
					conclude(answer);
				}
			}
		}

		private void conclude(Answer answer) {
			Kubelet.this.history.add(answer);
			this.same = (this.same > 0 && this.last == answer.passed()) ? this.same + 1 : 1;
			this.last = answer.passed();
			if (this.same < (this.last ? this.check.successThreshold() : this.check.failureThreshold())) {
				return;
			}
			this.passed = this.last;
			if (!this.passed && this.kind != Kind.READINESS) {
				restart();
			}
		}

	}

}
