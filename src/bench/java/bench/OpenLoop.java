package bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Load of clients that do not know of each other: requests come at a given rate, whatever
 * becomes of the earlier ones. Each request's time counts from when it was due, so that a
 * server that stops for a while is charged with all that would have come meanwhile.
 * <p>
 * One thread sends, one receives; a request for which no connection is free gets a new
 * one.
 */
final class OpenLoop implements AutoCloseable {

	/** What EAS's clients grant a request; later answers are of no use to them. */
	static final Duration PATIENCE = Duration.ofSeconds(5);

	// Fewer than Tomcat takes, and than one process may open.
	private static final int MOST_CONNECTIONS = 4000;

	// The same arrivals in every run.
	private static final int SEED = 1;

	private final Arrivals arrivals;

	private final InetSocketAddress address;

	private final ByteBuffer request;

	private final Selector selector = Selector.open();

	// The last used first: as few connections as the load needs.
	private final ConcurrentLinkedDeque<Connection> idle = new ConcurrentLinkedDeque<>();

	private final AtomicInteger connections = new AtomicInteger();

	private final AtomicInteger waiting = new AtomicInteger();

	// The sender's alone
	private long sent;

	private long broken;

	// The receiver's alone, until it has ended
	private final Histogram times = new Histogram(3);

	private long end = Long.MAX_VALUE;

	private long good;

	private long refused;

	private long failed;

	private volatile boolean stopped;

	private OpenLoop(int port, Request request, Arrivals arrivals) throws IOException {
		this.arrivals = arrivals;
		this.address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
		this.request = request.http(port);
	}

	/**
	 * When requests come.
	 */
	enum Arrivals {

		/** Each after the same time. */
		EVEN,

		/** Exponentially spaced, as those of independent clients. */
		RANDOM

	}

	/**
	 * What came of it.
	 *
	 * @param sent requests per second that were sent
	 * @param good answers of status 200 per second that came in time
	 * @param median of the time to a 200, in milliseconds
	 * @param p99 the same, of which one in a hundred takes longer
	 * @param refused answers of status 429 or 504, per second
	 * @param failed requests with any other status, or without an answer in time
	 */
	record Outcome(double sent, double good, double median, double p99, double refused, long failed) {

		private static final String MARK = "outcome ";

		/** Reads the line that ends a run. */
		static Outcome parse(String output) {
			String line = output.lines()
				.filter((one) -> one.startsWith(MARK))
				.findFirst()
				.orElseThrow(() -> new IllegalStateException("No outcome in: " + output));
			double[] values = Arrays.stream(line.substring(MARK.length()).split(" "))
				.mapToDouble(Double::parseDouble)
				.toArray();
			return new Outcome(values[0], values[1], values[2], values[3], values[4], (long) values[5]);
		}

		/** Writes such a line. */
		String format() {
			return String.format(Locale.ROOT, "%s%f %f %f %f %f %d", MARK, this.sent, this.good, this.median, this.p99,
					this.refused, this.failed);
		}

	}

	/**
	 * Measures a server from a process of its own.
	 * @param rate in requests per second
	 * @param prefix what its command is put behind, such as a choice of CPUs
	 */
	static Outcome run(Target target, Arrivals arrivals, double rate, int seconds, String... prefix)
			throws IOException, InterruptedException {
		List<String> load = Commands.java(List.of(), OpenLoop.class.getName(), String.valueOf(target.port()),
				target.contender().name(), target.workload().name(), arrivals.name(), String.valueOf(rate),
				String.valueOf(seconds));
		return Outcome.parse(
				Commands.output(Commands.join(List.of(prefix), load.toArray(String[]::new)), Commands.environment()));
	}

	/** Such a process: twice, for what only such a load calls is compiled by then. */
	public static void main(String[] args) throws Exception {
		Target target = new Target(Integer.parseInt(args[0]), Contender.valueOf(args[1]), Workload.valueOf(args[2]));
		Arrivals arrivals = Arrivals.valueOf(args[3]);
		double rate = Double.parseDouble(args[4]);
		int seconds = Integer.parseInt(args[5]);
		measure(target, arrivals, rate, seconds);
		System.out.println(measure(target, arrivals, rate, seconds).format());
	}

	private static Outcome measure(Target target, Arrivals arrivals, double rate, int seconds)
			throws IOException, InterruptedException {
		try (OpenLoop loop = new OpenLoop(target.port(), target.request(), arrivals)) {
			return loop.run(rate, seconds);
		}
	}

	private Outcome run(double rate, int seconds) throws IOException, InterruptedException {
		long start = System.nanoTime();
		this.end = start + TimeUnit.SECONDS.toNanos(seconds);
		Thread receiver = Thread.ofPlatform().name("receiver").daemon().start(this::receive);
		send(start, TimeUnit.SECONDS.toNanos(1) / rate);
		long patience = System.nanoTime() + PATIENCE.toNanos();
		while (this.waiting.get() > 0 && System.nanoTime() < patience) {
			Thread.sleep(10);
		}
		this.stopped = true;
		this.selector.wakeup();
		receiver.join();
		return new Outcome((double) this.sent / seconds, (double) this.good / seconds, millis(50), millis(99),
				(double) this.refused / seconds, this.failed + this.broken + this.waiting.get());
	}

	private double millis(double percentile) {
		return this.times.getValueAtPercentile(percentile) / 1e6;
	}

	private void send(long start, double gap) throws IOException {
		Random random = new Random(SEED);
		double due = start;
		while (due < this.end && System.nanoTime() < this.end) {
			LockSupport.parkNanos((long) due - System.nanoTime());
			if ((long) due <= System.nanoTime()) {
				send((long) due);
				due += switch (this.arrivals) {
					case EVEN -> gap;
					case RANDOM -> -gap * Math.log(1 - random.nextDouble());
				};
			}
		}
	}

	private void send(long due) throws IOException {
		Connection connection = connection();
		if (connection != null) {
			this.sent++;
			this.waiting.incrementAndGet();
			connection.ask(due);
		}
	}

	private @Nullable Connection connection() throws IOException {
		while (System.nanoTime() < this.end) {
			Connection connection = this.idle.pollFirst();
			if (connection != null) {
				return connection;
			}
			if (this.connections.get() < MOST_CONNECTIONS) {
				this.connections.incrementAndGet();
				return new Connection();
			}
			LockSupport.parkNanos(50_000);
		}
		return null;
	}

	private void receive() {
		try {
			while (!this.stopped) {
				this.selector.select((key) -> ((Connection) key.attachment()).proceed());
			}
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private void count(int status, long due) {
		long now = System.nanoTime();
		this.waiting.decrementAndGet();
		switch (status) {
			case 200 -> {
				this.times.recordValue(now - due);
				if (now - due > PATIENCE.toNanos()) {
					this.failed++;
				}
				else if (now <= this.end) {
					this.good++;
				}
			}
			case 429, 504 -> this.refused++;
			default -> this.failed++;
		}
	}

	@Override
	public void close() throws IOException {
		for (SelectionKey key : this.selector.keys()) {
			key.channel().close();
		}
		this.selector.close();
	}

	/**
	 * A connection, with at most one request on its way.
	 */
	private final class Connection {

		private final SocketChannel channel = SocketChannel.open();

		private final ByteBuffer buffer = ByteBuffer.allocateDirect(16 * 1024);

		private volatile long due;

		private final AtomicBoolean asked = new AtomicBoolean();

		private @Nullable Response response;

		private Connection() throws IOException {
			this.channel.configureBlocking(false);
			this.channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
		}

		/** By the sender: asks, or sees to it that the receiver does once connected. */
		private void ask(long scheduled) {
			this.due = scheduled;
			this.asked.set(true);
			try {
				if (this.channel.isConnected()) {
					write();
				}
				else if (this.channel.connect(OpenLoop.this.address)) {
					write();
					register(SelectionKey.OP_READ);
					OpenLoop.this.selector.wakeup();
				}
				else {
					register(SelectionKey.OP_CONNECT);
					OpenLoop.this.selector.wakeup();
				}
			}
			catch (IOException ex) {
				end();
				if (this.asked.compareAndSet(true, false)) {
					OpenLoop.this.waiting.decrementAndGet();
					OpenLoop.this.broken++;
				}
			}
		}

		private void register(int interest) throws IOException {
			this.channel.register(OpenLoop.this.selector, interest, this);
		}

		private void write() throws IOException {
			ByteBuffer bytes = OpenLoop.this.request.duplicate();
			this.channel.write(bytes);
			if (bytes.hasRemaining()) {
				throw new IOException("The request does not fit the socket's buffer");
			}
		}

		/** By the receiver: whatever the channel is ready for. */
		private void proceed() {
			try {
				if (this.channel.isConnected()) {
					read();
				}
				else {
					this.channel.finishConnect();
					write();
					register(SelectionKey.OP_READ);
				}
			}
			catch (IOException ex) {
				end();
				if (this.asked.compareAndSet(true, false)) {
					count(0, this.due);
				}
			}
		}

		private void read() throws IOException {
			int count = this.channel.read(this.buffer);
			if (count < 0) {
				throw new IOException("The server closed the connection");
			}
			if (this.response == null) {
				this.response = Response.head(this.buffer);
			}
			else {
				this.response.body(this.buffer, count);
			}
			if (this.response != null && this.response.isComplete()) {
				complete(this.response);
			}
		}

		private void complete(Response complete) {
			this.response = null;
			this.buffer.clear();
			if (this.asked.compareAndSet(true, false)) {
				count(complete.status(), this.due);
			}
			if (complete.isLast()) {
				end();
			}
			else {
				OpenLoop.this.idle.addFirst(this);
			}
		}

		private synchronized void end() {
			if (this.channel.isOpen()) {
				OpenLoop.this.connections.decrementAndGet();
				OpenLoop.this.idle.remove(this);
				try {
					this.channel.close();
				}
				catch (IOException ex) {
					throw new UncheckedIOException(ex);
				}
			}
		}

	}

}
