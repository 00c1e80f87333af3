// Threads of a block, one after the other. Those that meet at a barrier each have a stack of their own.

namespace {

struct Fibre {
  ucontext_t at;
  std::vector<char> stack;
  unsigned thread;
};

struct Block {
  const Function* function;
  void** args;
  unsigned next, size;
  ucontext_t scheduler;
  Fibre* running;
  std::vector<Fibre*> waiting;
};

Block block;
std::vector<Fibre*> idle;

void wait_for_others() {
  Fibre* self = block.running;
  self->thread = block.function->module->places[1]->x;
  block.waiting.push_back(self);
  swapcontext(&self->at, &block.scheduler);
  block.function->module->places[1]->x = self->thread;
}

void run_threads() {
  while (block.next < block.size) {
    block.function->module->places[1]->x = block.next++;
    block.function->run(block.args);
  }
  idle.push_back(block.running);
  swapcontext(&block.running->at, &block.scheduler);
}

void resume(Fibre* fibre) {
  block.running = fibre;
  swapcontext(&block.scheduler, &fibre->at);
}

void run_block(const Function& function, void** args, unsigned size) {
  block.function = &function;
  block.args = args;
  block.next = 0;
  block.size = size;
  while (block.next < size || !block.waiting.empty()) {
    if (block.next < size) {
      if (idle.empty()) {
        idle.push_back(new Fibre);
        idle.back()->stack.reserve(1 << 20);
      }
      Fibre* fibre = idle.back();
      idle.pop_back();
      getcontext(&fibre->at);
      fibre->at.uc_stack.ss_sp = fibre->stack.data();
      fibre->at.uc_stack.ss_size = 1 << 20;
      fibre->at.uc_link = nullptr;
      makecontext(&fibre->at, run_threads, 0);
      resume(fibre);
      continue;
    }
    // All that are left wait at the barrier.
    std::vector<Fibre*> all;
    all.swap(block.waiting);
    for (Fibre* fibre : all) resume(fibre);
  }
}

void run_kernel(const Function& function, std::vector<unsigned long long> values, unsigned blocks, unsigned size) {
  Module* module = function.module;
  if (!modules.count(module)) violated("a kernel runs whose module is unloaded");
  std::vector<void*> args;
  for (auto& value : values) args.push_back(&value);
  *module->places[2] = {size, 1, 1};
  *module->places[3] = {blocks, 1, 1};
  for (unsigned i = 0; i < blocks; i++) {
    *module->places[0] = {i, 0, 0};
    *module->places[1] = {0, 0, 0};
    run_block(function, args.data(), size);
  }
}

}  // namespace
