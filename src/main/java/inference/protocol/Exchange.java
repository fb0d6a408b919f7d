package inference.protocol;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.locks.ReentrantLock;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import org.apache.catalina.connector.Request;
import org.jspecify.annotations.Nullable;

import inference.admission.Client;
import inference.admission.Refusal;
import inference.admission.Statistics;

/**
 * One prediction's client and its answer, which two threads may want to give: the one
 * that runs the model, and at the deadline another one, since the first may not be back
 * for long. The first answer is sent and counted, and neither thread leaves before it is
 * sent.
 */
final class Exchange implements Client {

	private final HttpServletRequest request;

	private final HttpServletResponse response;

	private final @Nullable Request connection = CurrentRequest.connection();

	private final Statistics statistics;

	private final long arrived = CurrentRequest.arrival();

	private final ReentrantLock lock = new ReentrantLock();

	private boolean answered;

	Exchange(HttpServletRequest request, HttpServletResponse response, Statistics statistics) {
		this.request = request;
		this.response = response;
		this.statistics = statistics;
	}

	long arrived() {
		return this.arrived;
	}

	void answer(Answer answer) throws IOException {
		this.lock.lock();
		try {
			if (!this.answered) {
				this.answered = true;
				this.statistics.record(Failures.outcome(answer.status()), System.nanoTime() - this.arrived);
				answer.send(this.request, this.response);
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	@Override
	public boolean isGone() {
		return CurrentRequest.isGone(this.connection);
	}

	// The connection cannot serve another request before the thread in the model is back,
	// so it is closed.
	@Override
	public void refuse(Refusal refusal) {
		this.lock.lock();
		try {
			if (!this.answered) {
				this.response.setHeader("Connection", "close");
				answer(Failures.answer(refusal));
				this.response.flushBuffer();
			}
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		finally {
			this.lock.unlock();
		}
	}

}
