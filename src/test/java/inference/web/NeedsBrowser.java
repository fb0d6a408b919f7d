package inference.web;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

import inference.Console;

/**
 * Skips a test class unless Chromium and its driver are installed.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(NeedsBrowser.Condition.class)
@interface NeedsBrowser {

	/**
	 * Whether they are, or what to do about it.
	 */
	final class Condition implements ExecutionCondition {

		@Override
		public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
			if (Browser.isInstalled()) {
				return ConditionEvaluationResult.enabled("");
			}
			String sentence = "The console is not tested in a browser, because there is no chromium or no chromedriver: "
					+ "install Debian's chromium and chromium-driver";
			// A build server must not pass because it tested nothing
			if ("true".equals(System.getenv("CI"))) {
				throw new IllegalStateException(sentence);
			}
			Console.print(sentence);
			return ConditionEvaluationResult.disabled(sentence);
		}

	}

}
