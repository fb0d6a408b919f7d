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
	void roomsKnowEachOtherAsTheMapDrawsIt() {
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
			.because("a request passes forward only: ask the next room for what you need, or move the code "
					+ "to the room that has it; a fork's classes belong in inference.model"));
	}

	@Test
	void theExecProbeNeedsTheJdkAlone() {
		check(classes().that()
			.resideInAPackage("inference.ops..")
			.should()
			.onlyDependOnClassesThat()
			.resideInAnyPackage("inference.ops..", "java..", "org.jspecify.annotations..")
			.because("it starts every few seconds, with its own classes on the class path: write it with the JDK"));
	}

	@Test
	void onlyTheModelPackageKnowsTheRuntime() {
		check(noClasses().that()
			.resideOutsideOfPackage("inference.model..")
			.should()
			.dependOnClassesThat()
			.resideInAPackage("ai.onnxruntime..")
			.because("another runtime has to replace one class: hand a Tensor over instead"));
	}

	@Test
	void theCodecsKnowNeitherSpringNorHttp() {
		check(noClasses().that()
			.resideInAPackage("inference.codec..")
			.should()
			.dependOnClassesThat()
			.resideInAnyPackage("org.springframework..", "jakarta.servlet..", "org.apache..")
			.because("gRPC uses them, too: pass bytes and tensors"));
	}

	@Test
	void onlyTheWebPackageKnowsTheServletApi() {
		check(noClasses().that()
			.resideOutsideOfPackage("inference.web..")
			.should()
			.dependOnClassesThat()
			.resideInAPackage("jakarta.servlet..")
			.because("other protocols use the same admission: pass what you need instead"));
	}

	@Test
	void onlyTheGrpcPackageKnowsGrpc() {
		check(noClasses().that()
			.resideOutsideOfPackage("inference.grpc..")
			.should()
			.dependOnClassesThat()
			.resideInAnyPackage("io.grpc..", "com.google.protobuf..", "io.netty..", "openinference..")
			.because("a fork without gRPC deletes that package: put the code there"));
	}

	@Test
	void onlyTheLifecycleHoldsTheModel() {
		check(noClasses().that()
			.resideOutsideOfPackages("inference.lifecycle..", "inference.model..")
			.should()
			.dependOnClassesThat()
			.areAssignableTo(Model.class)
			.because("a call that the lifecycle does not count is one under which it frees the model: "
					+ "call Admission.predict instead"));
	}

	@Test
	void injectsNothingIntoFields() {
		check(noFields().should(GeneralCodingRules.BE_ANNOTATED_WITH_AN_INJECTION_ANNOTATION)
			.because("a field that is injected is not final: take it as a constructor's parameter"));
	}

	@Test
	void startsNothingInAPostConstructMethod() {
		check(noMethods().should()
			.beAnnotatedWith("jakarta.annotation.PostConstruct")
			.because("it holds the port up: construct in the constructor, start in a SmartLifecycle"));
	}

	@Test
	void logsOnlyThroughSlf4j() {
		check(noClasses().should()
			.dependOnClassesThat()
			.resideInAPackage("java.util.logging..")
			.because("its lines do not follow the log's settings: use org.slf4j.Logger"));
		check(noClasses().that()
			.resideOutsideOfPackage("inference.ops..")
			.should(GeneralCodingRules.ACCESS_STANDARD_STREAMS)
			.orShould()
			.dependOnClassesThat()
			.areAssignableTo(IO.class)
			.because("its lines do not follow the log's settings: use org.slf4j.Logger"));
	}

	@Test
	void everyPackageSaysWhatMayBeNull() {
		check(classes().should(resideInANullMarkedPackage())
			.because("the compiler checks no other package: add a package-info with @NullMarked"));
	}

	@Test
	void everyTypeIsNamedForWhatItIs() {
		check(noClasses().should()
			.haveNameMatching(".*(Impl|Manager|Utils?|Helper)")
			.because("such a name says nothing: use the domain's word, or put the method where its data is"));
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
