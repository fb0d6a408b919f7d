package inference.admission;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import jdk.management.VirtualThreadSchedulerMXBean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import inference.lifecycle.Lifecycles;
import inference.model.FakeModel;
import inference.model.Gate;
import inference.model.ModelProperties;
import inference.model.Tensor;

import static org.assertj.core.api.Assertions.assertThat;

class CarriersTests {

	private static final int FEW = Runtime.getRuntime().availableProcessors() + 1;

	private static final int ALL = FEW + 7;

	private static final int MANY = 1000;

	private final FakeModel model = new FakeModel();

	private final Gate gate = new Gate();

	private final Statistics statistics = new Statistics(new SimpleMeterRegistry());

	private final Admission admission = Admissions.of(Lifecycles.ready(this.model),
			new ModelProperties("fake", "1", "nowhere", 1, "cpu", List.of()), this.statistics);

	private final List<Integer> used = new ArrayList<>();

	private final Carriers carriers = new Carriers(this.admission, this.statistics, ALL, this.used::add);

	@AfterEach
	void letEverybodyGo() {
		this.gate.open();
	}

	@Test
	void manyCallsOfAQuickModelNeedOnlyAFew() {
		call(MANY);
		this.carriers.look();
		assertThat(this.used).containsExactly(FEW);
	}

	@Test
	void oneCallLessLeavesAll() {
		call(MANY - 1);
		this.carriers.look();
		assertThat(this.used).isEmpty();
	}

	@Test
	void manyCallsOfASlowModelNeedAll() {
		this.model.behave(CarriersTests::echoSlowly);
		call(MANY);
		this.carriers.look();
		assertThat(this.used).isEmpty();
	}

	@Test
	void aFewRemainAsLongAsCallsReturn() {
		call(MANY);
		this.carriers.look();
		for (int i = 0; i < 2000; i++) {
			call(1);
			this.carriers.look();
		}
		assertThat(this.used).containsExactly(FEW);
	}

	@Test
	void aPauseBetweenCallsLeavesAFew() {
		call(MANY);
		for (int i = 0; i < 1000; i++) {
			this.carriers.look();
		}
		assertThat(this.used).containsExactly(FEW);
	}

	@Test
	void allAreUsedAgainAfterTenSecondsWithoutACall() {
		call(MANY);
		for (int i = 0; i < 1001; i++) {
			this.carriers.look();
		}
		assertThat(this.used).containsExactly(FEW, ALL);
	}

	@Test
	void allAreUsedAgainOnceACallDoesNotReturn() {
		call(MANY);
		this.carriers.look();
		this.model.behave((inputs) -> {
			this.gate.pass();
			return FakeModel.echo(inputs);
		});
		Thread.startVirtualThread(() -> call(1));
		this.gate.awaitArrivals(1);
		this.carriers.look();
		assertThat(this.used).containsExactly(FEW, ALL);
	}

	@Test
	void allAreUsedAgainOnceCallsTakeLonger() {
		call(MANY);
		this.carriers.look();
		this.model.behave(CarriersTests::echoSlowly);
		call(MANY);
		this.carriers.look();
		assertThat(this.used).containsExactly(FEW, ALL);
	}

	@Test
	void theSchedulerOfVirtualThreadsObeys() {
		var scheduler = ManagementFactory.getPlatformMXBean(VirtualThreadSchedulerMXBean.class);
		int before = scheduler.getParallelism();
		try {
			Carriers.use(before + 1);
			assertThat(scheduler.getParallelism()).isEqualTo(before + 1);
		}
		finally {
			Carriers.use(before);
		}
	}

	private void call(int times) {
		for (int i = 0; i < times; i++) {
			this.admission.infer(FakeModel.question(i), this.admission.enter(System.nanoTime(), null).deadline(),
					Client.PATIENT);
		}
	}

	// As long as it takes to be none of the quick ones
	private static Map<String, Tensor> echoSlowly(Map<String, Tensor> inputs) {
		long end = System.nanoTime() + 200_000;
		while (System.nanoTime() < end) {
			Thread.onSpinWait();
		}
		return FakeModel.echo(inputs);
	}

}
