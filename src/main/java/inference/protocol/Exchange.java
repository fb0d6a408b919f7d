package inference.protocol;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.locks.ReentrantLock;

import jakarta.servlet.http.HttpServletResponse;

import inference.admission.Statistics;

/**
 * One prediction's answer, which two threads may want to give: the one that runs the
 * model, and at the deadline another one, since the first may not be back for long. The
 * first answer is sent and counted, and neither thread leaves before it is sent.
 */
final class Exchange {

	private final HttpServletResponse response;

	private final Statistics statistics;

	private final long start = System.nanoTime();

	private final ReentrantLock lock = new ReentrantLock();

	private boolean answered;

	Exchange(HttpServletResponse response, Statistics statistics) {
		this.response = response;
		this.statistics = statistics;
	}

	void answer(Answer answer) throws IOException {
		this.lock.lock();
		try {
			if (!this.answered) {
				this.answered = true;
				this.statistics.record(Failures.outcome(answer.status()), System.nanoTime() - this.start);
				answer.send(this.response);
			}
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Answers while another thread is still inside the model. The connection cannot serve
	 * another request before that thread is back, so it is closed.
	 */
	void answerEarly(Answer answer) {
		this.lock.lock();
		try {
			if (!this.answered) {
				this.response.setHeader("Connection", "close");
				answer(answer);
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
