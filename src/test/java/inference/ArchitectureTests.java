package inference;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import com.tngtech.archunit.library.GeneralCodingRules;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

import inference.model.Model;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noFields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noMethods;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

class ArchitectureTests {

	private static final JavaClasses MAIN = new ClassFileImporter().withImportOption(new DoNotIncludeTests())
		.importPackages(ArchitectureTests.class.getPackageName());

	@Test
	void packagesUseOnlyThePackagesBehindThem() {
		check(layeredArchitecture().consideringOnlyDependenciesInLayers()
			.layer("root")
			.definedBy("inference")
			.layer("web")
			.definedBy("inference.web..")
			.optionalLayer("grpc")
			.definedBy("inference.grpc..")
			.layer("codec")
			.definedBy("inference.codec..")
			.layer("admission")
			.definedBy("inference.admission..")
			.layer("health")
			.definedBy("inference.health..")
			.layer("lifecycle")
			.definedBy("inference.lifecycle..")
			.layer("model")
			.definedBy("inference.model..")
			.layer("ops")
			.definedBy("inference.ops..")
			.whereLayer("root")
			.mayOnlyAccessLayers("lifecycle", "model")
			.whereLayer("web")
			.mayOnlyAccessLayers("codec", "admission", "health", "model")
			.whereLayer("grpc")
			.mayOnlyAccessLayers("codec", "admission", "health", "lifecycle", "model")
			.whereLayer("codec")
			.mayOnlyAccessLayers("model")
			.whereLayer("admission")
			.mayOnlyAccessLayers("lifecycle", "model")
			.whereLayer("health")
			.mayOnlyAccessLayers("lifecycle")
			.whereLayer("lifecycle")
			.mayOnlyAccessLayers("model")
			.whereLayer("model")
			.mayNotAccessAnyLayer()
			.whereLayer("ops")
			.mayNotAccessAnyLayer()
			.ensureAllClassesAreContainedInArchitecture()
			.because("a request passes through the packages in one direction. Move the code to the package that "
					+ "has what it needs. A fork's classes belong in a package outside of inference, such as com.acme"));
	}

	@Test
	void theExecProbeNeedsTheJdkAlone() {
		check(classes().that()
			.resideInAPackage("inference.ops..")
			.should()
			.onlyDependOnClassesThat()
			.resideInAnyPackage("inference.ops..", "java..", "org.jspecify.annotations..")
			.because("the kubelet starts the program every few seconds, without the server's libraries. Use the JDK"));
	}

	@Test
	void onlyTheModelPackageKnowsTheRuntime() {
		check(noClasses().that()
			.resideOutsideOfPackage("inference.model..")
			.should()
			.dependOnClassesThat()
			.resideInAPackage("ai.onnxruntime..")
			.because("another runtime must be able to replace ONNX Runtime in one package. Pass a Tensor instead"));
	}

	@Test
	void theCodecsKnowNeitherSpringNorHttp() {
		check(noClasses().that()
			.resideInAPackage("inference.codec..")
			.should()
			.dependOnClassesThat()
			.resideInAnyPackage("org.springframework..", "jakarta.servlet..", "org.apache..")
			.because("gRPC uses the codec, too. Pass bytes and tensors"));
	}

	@Test
	void onlyTheWebPackageKnowsTheServletApi() {
		check(noClasses().that()
			.resideOutsideOfPackage("inference.web..")
			.should()
			.dependOnClassesThat()
			.resideInAPackage("jakarta.servlet..")
			.because("gRPC uses the other packages, too. Pass the values instead of the request"));
	}

	@Test
	void onlyTheGrpcPackageKnowsGrpc() {
		check(noClasses().that()
			.resideOutsideOfPackage("inference.grpc..")
			.should()
			.dependOnClassesThat()
			.resideInAnyPackage("io.grpc..", "com.google.protobuf..", "io.netty..", "openinference..")
			.because("a fork without gRPC deletes this package. Put the code there"));
	}

	@Test
	void onlyTheLifecycleHoldsTheModel() {
		check(noClasses().that()
			.resideOutsideOfPackages("inference.lifecycle..", "inference.model..")
			.should()
			.dependOnClassesThat()
			.areAssignableTo(Model.class)
			.because("the lifecycle may free the model while it runs a call that the lifecycle does not count. "
					+ "Call Admission.predict instead"));
	}

	@Test
	void injectsNothingIntoFields() {
		check(noFields().should(GeneralCodingRules.BE_ANNOTATED_WITH_AN_INJECTION_ANNOTATION)
			.because("an injected field is not final. Use a parameter of the constructor"));
	}

	@Test
	void startsNothingInAPostConstructMethod() {
		check(noMethods().should()
			.beAnnotatedWith("jakarta.annotation.PostConstruct")
			.because(
					"the port opens only after this method. Construct in the constructor, and start in a SmartLifecycle"));
	}

	@Test
	void logsOnlyThroughSlf4j() {
		check(noClasses().should()
			.dependOnClassesThat()
			.resideInAPackage("java.util.logging..")
			.because("these lines do not follow the log's settings. Use org.slf4j.Logger"));
		check(noClasses().that()
			.resideOutsideOfPackage("inference.ops..")
			.should(GeneralCodingRules.ACCESS_STANDARD_STREAMS)
			.orShould()
			.dependOnClassesThat()
			.areAssignableTo(IO.class)
			.because("these lines do not follow the log's settings. Use org.slf4j.Logger"));
	}

	@Test
	void everyPackageSaysWhatMayBeNull() {
		check(classes().should(resideInANullMarkedPackage())
			.because("the compiler checks null only in these packages. Add a package-info with @NullMarked"));
	}

	@Test
	void everyTypeIsNamedForWhatItIs() {
		check(noClasses().should()
			.haveNameMatching(".*(Impl|Manager|Utils?|Helper)")
			.because(
					"such a name does not tell what the type does. Use the field's word, or put the method where its data is"));
	}

	private static void check(ArchRule rule) {
		rule.check(MAIN);
	}

	private static ArchCondition<JavaClass> resideInANullMarkedPackage() {
		return new ArchCondition<>("reside in a @NullMarked package") {
			@Override
			public void check(JavaClass type, ConditionEvents events) {
				boolean marked = type.getPackage().isAnnotatedWith(NullMarked.class);
				events.add(new SimpleConditionEvent(type, marked,
						"%s has %s @NullMarked package-info".formatted(type.getPackageName(), marked ? "a" : "no")));
			}
		};
	}

}
