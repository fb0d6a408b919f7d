package inference.admission;

import java.util.List;
import java.util.Map;

import inference.admission.Statistics.Stage;
import inference.lifecycle.ModelLifecycle;
import inference.lifecycle.NotServingException;
import inference.model.Tensor;

/**
 * Runs the calls that have a slot, several as one where they share it, and knows how long
 * that takes.
 */
final class Runs {

	private static final long UNKNOWN = Long.MAX_VALUE / 2;

	private final ModelLifecycle lifecycle;

	private final Statistics statistics;

	private final ServiceTime serviceTime;

	private volatile long quick = UNKNOWN;

	private volatile long least = UNKNOWN;

	Runs(ModelLifecycle lifecycle, Statistics statistics, ServiceTime serviceTime) {
		this.lifecycle = lifecycle;
		this.statistics = statistics;
		this.serviceTime = serviceTime;
	}

	/**
	 * How long the model itself takes for one call, in nanoseconds: the quickest lately,
	 * since a run that the system interrupts appears a hundred times as long.
	 */
	long quick() {
		return this.quick;
	}

	/**
	 * How long a run takes that is quick as those go lately, in nanoseconds, whatever
	 * runs together; 0 before the first.
	 */
	long least() {
		long least = this.least;
		return (least == UNKNOWN) ? 0 : least;
	}

	/**
	 * Gives each call its outcome.
	 * @param calls that fit each other
	 * @param own the call of this thread, whose client is told if it comes too late
	 * @param since when the slot was free for them, in {@link System#nanoTime()}
	 */
	void run(List<Pending> calls, Pending own, long since) {
		long started = System.nanoTime();
		calls.forEach((call) -> this.statistics.record(Stage.QUEUE, started - call.arrived()));
		if (calls.size() == 1) {
			alone(calls.getFirst(), own, since, started);
		}
		else {
			together(calls, own, since);
		}
	}

	private void alone(Pending call, Pending own, long since, long started) {
		try {
			call.complete(infer(call.inputs(), 1, own, call.deadline().at(), since, started));
		}
		catch (NotServingException ex) {
			call.fail(new Refusal.NotReady(ex.snapshot().reason()));
		}
		catch (RuntimeException | Error ex) {
			// Told to end its call early, a model ends it with an exception of its own.
			boolean late = !(ex instanceof VirtualMachineError) && call.remaining() <= 0;
			call.fail(late ? call.deadline().exceededInside() : ex);
		}
	}

	private void together(List<Pending> calls, Pending own, long since) {
		List<Map<String, Tensor>> outputs;
		try {
			long last = calls.stream().mapToLong((call) -> call.deadline().at()).reduce(Runs::later).orElseThrow();
			Map<String, Tensor> joined = Batch.join(calls.stream().map(Pending::inputs).toList());
			outputs = Batch.split(infer(joined, calls.size(), own, last, since, System.nanoTime()),
					calls.stream().map((call) -> Batch.rows(call.inputs())).toList());
		}
		catch (RuntimeException | Error ex) {
			// One that the model cannot use must not fail its neighbours.
			for (Pending call : calls) {
				if (call.remaining() <= 0) {
					call.fail(call.deadline().exceededInside());
				}
				else {
					long now = System.nanoTime();
					alone(call, own, now, now);
				}
			}
			return;
		}
		for (int i = 0; i < calls.size(); i++) {
			calls.get(i).complete(outputs.get(i));
		}
	}

	private Map<String, Tensor> infer(Map<String, Tensor> inputs, int calls, Pending own, long endBy, long since,
			long started) {
		Map<String, Tensor> outputs = null;
		long ended;
		try {
			outputs = this.lifecycle.infer(inputs, own.deadline().at(), endBy,
					() -> own.client().refuse(own.deadline().exceededInside()));
		}
		finally {
			ended = System.nanoTime();
			boolean cut = outputs == null && ended - endBy >= 0;
			this.serviceTime.record(ended - since, cut ? 0 : calls);
		}
		long took = ended - started;
		this.quick = quickest(this.quick, took / calls);
		this.least = quickest(this.least, took);
		this.statistics.recordRun(Batch.rows(inputs), took);
		return outputs;
	}

	private static long quickest(long lately, long now) {
		return Math.min(now, lately + (lately >> 5) + 1);
	}

	private static long later(long one, long other) {
		return (one - other > 0) ? one : other;
	}

}
