import "reflect-metadata";
import { type DependencyContainer, instancePerContainerCachingFactory } from "tsyringe";
import type { Token } from "./tokens.ts";

/** Puts `make`'s answer under a token, made once for each container when it is first asked for. */
export function bind<T>(
  container: DependencyContainer,
  token: Token<T>,
  make: (container: DependencyContainer) => T,
): void {
  container.register<T>(token, { useFactory: instancePerContainerCachingFactory<T>(make) });
}

/** What stands under a token. */
export function resolve<T>(container: DependencyContainer, token: Token<T>): T {
  return container.resolve<T>(token);
}
