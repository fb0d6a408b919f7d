package inference.lifecycle;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

import inference.model.UnusableModelException;

/**
 * Gives a model that cannot be served the form of every other failure to start.
 */
final class UnusableModelAnalyzer extends AbstractFailureAnalyzer<UnusableModelException> {

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, UnusableModelException cause) {
		return new FailureAnalysis(cause.description(), cause.action(), cause);
	}

}
