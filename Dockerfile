# Builds the same image as Jib (mvn package jib:build): the same files with the same configuration.
ARG BUILD_IMAGE=maven:3.9-eclipse-temurin-25
# A small base with glibc and libstdc++, which ONNX Runtime needs. The image needs no shell.
ARG BASE_IMAGE=debian:12-slim

FROM ${BUILD_IMAGE} AS build
WORKDIR /build
COPY pom.xml ./
COPY src src
RUN mvn -B package -Dmaven.test.skip=true

FROM ${BASE_IMAGE}
ARG VERSION=1.0.0
ARG CREATED=2026-11-22T00:00:00Z
LABEL org.opencontainers.image.title="inference-server" \
      org.opencontainers.image.description="An inference server to fork: one model, three probes that tell the truth" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.licenses="Apache-2.0"
# The layers are sorted: files that change more often come later.
COPY --from=build /build/target/image/opt /opt
COPY --from=build /build/target/image/usr /usr
COPY --from=build /build/target/image/models /models
COPY --from=build /build/target/image/app/lib /app/lib
COPY --from=build /build/target/image/app/*.args /build/target/image/app/*.flags /build/target/image/app/*.jar /app/
COPY --from=build /build/target/image/app/*.aot /app/
# Without this, Java could not open files whose names are not ASCII, such as a mounted model.
ENV LANG=C.UTF-8
# Without this variable, the server sets it by a native call before it loads ONNX Runtime.
ENV ORT_DISABLE_TELEMETRY=1
# Each line of the log is a JSON object. If the variable is empty, the lines are text.
ENV LOGGING_STRUCTURED_FORMAT_CONSOLE=ecs
WORKDIR /tmp
USER 10001:10001
EXPOSE 8000
# Only CMD is set, so that a platform can replace the entry point or the command.
CMD ["/opt/java/bin/java", "@/app/server.args"]
