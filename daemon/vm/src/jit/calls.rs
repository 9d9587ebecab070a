//! Calls: helpers, local functions, and array lookups, which need no call.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{AbiParam, InstBuilder, SigRef, Signature, Value, types};

use super::compile::parameters;
use super::facts::Known;
use super::flow::helper_arity;
use super::runtime::{self, Head, status};
use super::translate::{Translator, flags};
use crate::exec::interpreter::STACK_SIZE;
use crate::exec::lower::{Op, extra};
use crate::isa::STACK_FRAME_SIZE;
use crate::maps::ArrayLayout;

/// Invocation, pc, index of the helper, r1 to r5.
const HELPER_PARAMETERS: usize = 8;
const LOOKUP: u32 = 1;

impl Translator<'_, '_, '_> {
    pub fn call_helper(&mut self, op: &Op) {
        if let Some(layout) = self.array_of_lookup(op) {
            return self.look_up(layout);
        }
        let function = match op.code {
            extra::CALL_NATIVE => runtime::call_native as *const () as i64,
            _ => runtime::call_remote as *const () as i64,
        };
        let index = self.number(op.imm as i64);
        let mut arguments = vec![index];
        arguments.extend((1..=helper_arity(self.plan.code, op)).map(|r| self.get(r as u8)));
        let result = self.call_engine(function, &arguments);
        self.set(0, result);
    }

    /// Call one of `runtime`'s functions, which may end the invocation.
    pub fn call_engine(&mut self, function: i64, arguments: &[Value]) -> Value {
        let pc = self.number(self.pc as i64);
        let mut all = vec![self.head, pc];
        all.extend(arguments);
        if all.len() < HELPER_PARAMETERS {
            let unused = self.number(0);
            all.resize(HELPER_PARAMETERS, unused);
        }
        self.store_budget();
        let signature = self.helper_signature();
        let function = self.number(function);
        let ins = self.builder.ins();
        let call = ins.call_indirect(signature, function, &all);
        let result = self.builder.inst_results(call)[0];
        self.check_status();
        self.load_budget();
        result
    }

    fn helper_signature(&mut self) -> SigRef {
        if let Some(signature) = self.signature {
            return signature;
        }
        let convention = self.builder.func.signature.call_conv;
        let mut signature = Signature::new(convention);
        signature.params = vec![AbiParam::new(types::I64); HELPER_PARAMETERS];
        signature.returns = vec![AbiParam::new(types::I64)];
        let signature = self.builder.import_signature(signature);
        self.signature = Some(signature);
        signature
    }

    /// Return early if the call just made has ended the invocation.
    fn check_status(&mut self) {
        let ended = self.load_head(offset_of!(Head, status));
        let gives_up = self.builder.create_block();
        let goes_on = self.builder.create_block();
        self.builder.set_cold_block(gives_up);
        self.builder.ins().brif(ended, gives_up, &[], goes_on, &[]);
        self.builder.switch_to_block(gives_up);
        self.give_up();
        self.builder.switch_to_block(goes_on);
    }

    pub fn call_local(&mut self, op: &Op) {
        let plan = self.plan;
        let callee = &plan.flow.functions[&(op.offset as usize)];
        self.charge(callee.shortest);
        let size = self.number(STACK_FRAME_SIZE as i64);
        let frame = self.builder.ins().isub(self.frame, size);
        if plan.flow.deep {
            self.check_depth(frame);
        }
        self.store_budget();
        let mut arguments = vec![self.head, frame];
        arguments.extend(parameters(callee).map(|register| self.get(register)));
        let function = self.callees[&callee.start];
        let call = self.builder.ins().call(function, &arguments);
        let result = self.builder.inst_results(call)[0];
        if plan.can_end {
            self.check_status();
        }
        self.load_budget();
        self.set(0, result);
    }

    /// End the invocation if there is no room below `frame` for a frame.
    fn check_depth(&mut self, frame: Value) {
        let top = self.load_head(offset_of!(Head, top));
        let depth = self.builder.ins().isub(top, frame);
        let room = self.number(STACK_SIZE as i64);
        let over = IntCC::UnsignedGreaterThanOrEqual;
        let over = self.builder.ins().icmp(over, depth, room);
        self.fail_if(over, status::DEPTH);
    }

    /// The array that a helper call looks up in, if it is known to do just that.
    fn array_of_lookup(&self, op: &Op) -> Option<ArrayLayout> {
        let native = op.code == extra::CALL_NATIVE;
        let helper = self.plan.code.natives.get(op.imm as usize)?;
        let Known::Map(map) = self.state.known[1] else {
            return None;
        };
        let layout = self.plan.maps[map].array_layout();
        layout.filter(|_| native && helper.id == LOOKUP)
    }

    /// r0 = the address of value `*r2` of an array, or 0.
    fn look_up(&mut self, layout: ArrayLayout) {
        let (base, offset) = self.place(2, 0);
        let key = self.builder.ins().load(types::I32, flags(), base, offset);
        let key = self.builder.ins().uextend(types::I64, key);
        let count = self.number(layout.count as i64);
        let exists = self.builder.ins().icmp(IntCC::UnsignedLessThan, key, count);
        let stride = self.number(layout.stride as i64);
        let distance = self.builder.ins().imul(key, stride);
        let first = self.number(layout.base as i64);
        let address = self.builder.ins().iadd(first, distance);
        let none = self.number(0);
        let found = self.builder.ins().select(exists, address, none);
        self.set(0, found);
    }
}
