package inference.admission;

import java.time.Duration;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.junit.jupiter.api.Test;

import inference.model.FakeModel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class CallQueueTests {

	@Test
	void givesNoCallOnceItIsClosed() {
		Batching batching = Admissions.batching(1, Duration.ZERO, new SimpleMeterRegistry());
		CallQueue queue = new CallQueue(1, batching);
		queue.add(new Call(FakeModel.question(1), Deadline.in(Duration.ofSeconds(10)), () -> false), () -> {
		});
		queue.close();
		assertThatExceptionOfType(InterruptedException.class).isThrownBy(queue::takeBatch);
		assertThat(queue.size()).isOne();
	}

}
