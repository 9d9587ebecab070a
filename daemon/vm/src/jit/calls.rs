//! Calls: helpers, local functions, and lookups that need no helper.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    AbiParam, ExtFuncData, ExternalName, FuncRef, InstBuilder, SigRef, Signature, UserExternalName,
    Value, types,
};

use super::compile::{parameters, signature};
use super::facts::Known;
use super::flow::{Function, helper_arity};
use super::runtime::{self, Head, status};
use super::translate::{Translator, flags};
use crate::exec::interpreter::STACK_SIZE;
use crate::exec::lower::{Op, extra};
use crate::isa::STACK_FRAME_SIZE;
use crate::maps::DirectLookup;

/// Invocation, pc, index of the helper, r1 to r5.
const HELPER_PARAMETERS: usize = 8;
const LOOKUP: u32 = 1;

impl Translator<'_, '_, '_> {
    pub fn call_helper(&mut self, op: &Op) {
        if let Some(found) = self.look_up(op) {
            return self.set(0, found);
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
        self.continue_with(gives_up);
        self.give_up();
        self.continue_with(goes_on);
    }

    /// The result of a local function that stays one.
    pub fn call_function(&mut self, callee: &Function) -> Value {
        let frame = self.frame_at(-(STACK_FRAME_SIZE as i32));
        if self.plan.flow.deep {
            self.check_depth(frame);
        }
        self.store_budget();
        let mut arguments = vec![self.head, frame];
        arguments.extend(parameters(callee).map(|register| self.get(register)));
        let function = self.callee(callee);
        let call = self.builder.ins().call(function, &arguments);
        let result = self.builder.inst_results(call)[0];
        if self.plan.can_end {
            self.check_status();
        }
        self.load_budget();
        result
    }

    /// A function that this one refers to and that is compiled, too.
    fn callee(&mut self, callee: &Function) -> FuncRef {
        if let Some(function) = self.callees.get(&callee.start) {
            return *function;
        }
        self.pending.add(callee.start);
        let convention = self.builder.func.signature.call_conv;
        let signature = self.builder.import_signature(signature(callee, convention));
        let name = UserExternalName::new(0, callee.start as u32);
        let name = self.builder.func.declare_imported_user_function(name);
        let function = self.builder.import_function(ExtFuncData {
            name: ExternalName::user(name),
            signature,
            colocated: true,
            patchable: false,
        });
        self.callees.insert(callee.start, function);
        function
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

    /// Find a key without the helper, if it is known whose, and that all of it lies in the frame.
    fn look_up(&mut self, op: &Op) -> Option<Value> {
        let native = op.code == extra::CALL_NATIVE;
        let helper = self.plan.code.natives.get(op.imm as usize)?;
        let (Known::Map(map), Known::Frame(at)) = (self.state.known[1], self.state.known[2]) else {
            return None;
        };
        let map = &self.plan.maps[map];
        let inside = i64::from(at) + map.key_size() as i64 <= 0;
        if !native || helper.id != LOOKUP || !inside {
            return None;
        }
        match map.direct_lookup() {
            DirectLookup::Index {
                base,
                stride,
                count,
                lane_stride,
            } if map.key_size() == 4 => {
                let mut first = self.number(base as i64);
                if lane_stride != 0 {
                    let lane = self.load_head(offset_of!(Head, lane));
                    let stride = self.number(lane_stride as i64);
                    let distance = self.builder.ins().imul(lane, stride);
                    first = self.builder.ins().iadd(first, distance);
                }
                Some(self.look_up_index(first, stride, count))
            }
            DirectLookup::Function { function, view } => {
                let key = self.frame_at(at);
                let view = self.number(view as i64);
                let function = self.number(function as usize as i64);
                let signature = self.find_signature();
                let ins = self.builder.ins();
                let call = ins.call_indirect(signature, function, &[view, key]);
                Some(self.builder.inst_results(call)[0])
            }
            _ => None,
        }
    }

    /// The address of value `*r2` of an array that begins at `first`, or 0.
    fn look_up_index(&mut self, first: Value, stride: u64, count: u64) -> Value {
        let (base, offset) = self.place(2, 0);
        let ins = self.builder.ins();
        // As narrow as it was stored: so Cranelift takes what was stored in place of a load.
        let key = ins.load(types::I32, flags(), base, offset);
        let limit = self.constant(types::I32, count as i64);
        let exists = self.builder.ins().icmp(IntCC::UnsignedLessThan, key, limit);
        let key = self.builder.ins().uextend(types::I64, key);
        let stride = self.number(stride as i64);
        let distance = self.builder.ins().imul(key, stride);
        let address = self.builder.ins().iadd(first, distance);
        let none = self.number(0);
        self.builder.ins().select(exists, address, none)
    }

    /// That of the functions which find a key.
    fn find_signature(&mut self) -> SigRef {
        let convention = self.builder.func.signature.call_conv;
        let mut signature = Signature::new(convention);
        signature.params = vec![AbiParam::new(types::I64); 2];
        signature.returns = vec![AbiParam::new(types::I64)];
        self.builder.import_signature(signature)
    }
}
