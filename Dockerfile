# The image that Jib builds (mvn package jib:build), for those without Jib: the same files in the same layers.
ARG BUILD_IMAGE=maven:3.9-eclipse-temurin-25
# Small, and has the glibc and libstdc++ that ONNX Runtime links to. No shell is needed.
ARG BASE_IMAGE=debian:12-slim

FROM ${BUILD_IMAGE} AS build
WORKDIR /build
COPY pom.xml ./
COPY src src
RUN mvn -B package -DskipTests

FROM ${BASE_IMAGE}
ARG VERSION=1.0.0
ARG CREATED=2026-11-22T00:00:00Z
LABEL org.opencontainers.image.title="inference-server" \
      org.opencontainers.image.description="An inference server to fork: one model, three probes that tell the truth" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.licenses="Apache-2.0"
# From what changes least to what changes most
COPY --from=build /build/target/image/opt /opt
COPY --from=build /build/target/image/app/lib /app/lib
COPY --from=build /build/target/image/app/*.args /build/target/image/app/*.flags /build/target/image/app/*.jar /app/
COPY --from=build /build/target/image/models /models
COPY --from=build /build/target/image/usr /usr
COPY --from=build /build/target/image/app/*.aot /app/
# File names in other than ASCII, of a mounted model say
ENV LANG=C.UTF-8
# Spares the server the native call that would set it
ENV ORT_DISABLE_TELEMETRY=1
# A JSON object per line of the log; empty, it is text again
ENV LOGGING_STRUCTURED_FORMAT_CONSOLE=ecs
WORKDIR /tmp
USER 10001:10001
EXPOSE 8000
# Only CMD is set, so that a platform may replace either of entry point and command
CMD ["/opt/java/bin/java", "@/app/server.args"]
