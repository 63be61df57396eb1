// isonats/services: the services framework of NATS (ADR-32).
export { controlSubject } from "./control.ts";
export { ServiceError } from "./service-error.ts";
export {
  type EndpointInfo,
  type EndpointOptions,
  type NamedEndpointStats,
  type QueueOption,
  type Service,
  type ServiceClient,
  type ServiceConfig,
  ServiceErrorCodeHeader,
  ServiceErrorHeader,
  type ServiceGroup,
  type ServiceHandler,
  type ServiceIdentity,
  type ServiceInfo,
  type ServiceMetadata,
  type ServiceMsg,
  ServiceResponseType,
  type ServiceStats,
  ServiceVerb,
} from "./service-types.ts";
export { Svcm } from "./svcm.ts";
